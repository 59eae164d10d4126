// The page where tokens are asked for: EOLE_PAGE is its address, EOLE_TOKEN an admin's token.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { kScreens } from './screens.mjs';

const home = process.env.EOLE_PAGE;
const token = process.env.EOLE_TOKEN;
const kPatienceMs = 30_000;

let browser;
let page;

before(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(() => browser?.close());

async function open(options = {}) {
  await page?.context().close();
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  context.setDefaultTimeout(kPatienceMs);
  page = await context.newPage();
}
beforeEach(() => open());

async function logIn(shown = token) {
  await page.getByLabel('Token').fill(shown);
  await page.getByRole('button', { name: 'Log in' }).click();
}
const heading = (name) => page.getByRole('heading', { level: 1, name }).waitFor();
const ask = (method, path, body) =>
  fetch(home + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });

async function judge(where) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  assert.deepEqual(
    violations.map((each) => `${where}: ${each.id}: ${each.nodes[0]?.html}`),
    [],
  );
}

test('whoever shows no token is asked for one, and sees what was asked for once it is shown', async () => {
  await page.goto(`${home}/workers`);
  await page.getByRole('dialog', { name: 'Log in' }).waitFor();
  await logIn('eole_0');
  await page.getByText('This token is none, or was revoked.').waitFor();
  await judge('login over the page');
  await logIn();
  await page
    .getByText(/slots busy/)
    .first()
    .waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  const cookies = await page.context().cookies();
  assert.ok(cookies.every((each) => each.httpOnly && each.sameSite === 'Strict'));
  assert.ok(!JSON.stringify(cookies).includes(token));
  await page.reload();
  await page
    .getByText(/slots busy/)
    .first()
    .waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL('**/login');
  assert.equal((await page.context().cookies()).length, 0);
});

test('a token is made, shown once, given another role, and revoked', async () => {
  await page.goto(`${home}/login`);
  await logIn();
  await page.getByRole('link', { name: 'Access' }).click();
  await heading('Access');
  await page.getByLabel('Name').fill('made here');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('letters, digits, - and _', { exact: false }).waitFor();
  await page.getByLabel('Name').fill('made-here');
  await page.getByLabel('Role', { exact: true }).selectOption('observe');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const shown = await page.locator('pre.token').textContent();
  assert.match(shown, /^eole_[0-9a-f]{64}$/);
  await page.getByRole('button', { name: 'Revoke made-here' }).waitFor();
  await judge('/access');
  await page.reload();
  await page.getByRole('button', { name: 'Revoke made-here' }).waitFor();
  assert.equal(await page.locator('pre.token').count(), 0);

  const before = page;
  const context = await browser.newContext({ locale: 'en-GB' });
  page = await context.newPage();
  await page.goto(`${home}/login`);
  await logIn(shown);
  await heading('Overview');
  await page.getByText('made-here (observe)').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Access' }).count(), 0);

  for (const own of [
    before.getByLabel('Role boss'),
    before.getByRole('button', { name: 'Revoke boss' }),
  ])
    assert.ok(await own.isDisabled());
  const role = before.getByLabel('Role made-here');
  await role.selectOption('admin');
  await before.getByRole('dialog').getByRole('button', { name: 'Leave it' }).click();
  assert.equal(await role.inputValue(), 'observe');
  await role.selectOption('submit');
  await before.getByRole('dialog').getByRole('button', { name: 'Role' }).click();
  await page.getByText('made-here (submit)').waitFor();

  await before.getByRole('button', { name: 'Revoke made-here' }).click();
  await before.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await before.getByRole('button', { name: 'Revoke made-here' }).waitFor({ state: 'detached' });
  await page.getByRole('dialog', { name: 'Log in' }).waitFor();
  await context.close();
  page = before;
});

// What changes something, on which screen, and the least role that may.
const kChanges = ({ queued, dead }) => [
  ['/', 'link', 'Submit', 'submit'],
  ['/tasks?state=queued', 'button', 'Cancel all that match', 'submit'],
  ['/tasks?state=dead', 'button', 'Replay all that match', 'submit'],
  [`/tasks/${queued}`, 'button', 'Cancel', 'submit'],
  [`/tasks/${dead}`, 'button', 'Replay', 'submit'],
  [`/tasks/${dead}`, 'button', 'Edit and submit', 'submit'],
  ['/projects/seen', 'button', 'Cancel all', 'submit'],
  ['/projects/seen', 'button', 'Pause', 'admin'],
  ['/submit', 'button', 'Submit', 'submit'],
  ['/pictures', 'button', 'Choose pictures', 'submit'],
  ['/queens', 'button', /^Count with/, 'submit'],
  ['/dead', 'button', 'Replay 1', 'submit'],
  ['/dead', 'button', 'Copy as curl', 'submit'],
  ['/dead', 'button', `Replay ${dead}`, 'submit'],
  ['/dead', 'button', `Discard ${dead}`, 'submit'],
  ['/groups', 'button', 'Add', 'submit'],
  ['/groups', 'button', 'Remove late', 'submit'],
  ['/groups/late', 'button', 'Remove', 'submit'],
  ['/groups/late', 'button', 'Move', 'submit'],
  ['/schedules', 'button', 'Add', 'submit'],
  ['/schedules', 'button', 'Run now later', 'submit'],
  ['/schedules', 'button', 'Pause later', 'submit'],
  ['/workers', 'button', /^Drain/, 'admin'],
  ['/access', 'button', 'Add', 'admin'],
];

test('whoever may not do a thing does not see its button, on any screen', async () => {
  const lacking = { kind: 'echo', needs: { gpu: 'a100' }, project: 'seen' };
  const [queued] = (await (await ask('POST', '/task', lacking)).json()).ids;
  const dies = { kind: 'dead', args: { error: 'seen' }, retry: true, attempts: 1 };
  const { id: dead } = await (await ask('POST', '/task?wait=20s', dies)).json();
  await ask('POST', '/groups', { group: 'late' });
  await ask('POST', '/alerts', { group: 'late', seconds: 60 });
  await ask('PUT', '/schedules/later', { every: '1h', task: { kind: 'echo' } });
  const ranks = ['observe', 'submit', 'admin'];
  for (const role of ranks) {
    const made = await (await ask('POST', '/tokens', { name: `as-${role}`, role })).json();
    await open();
    await page.goto(`${home}/login`);
    await logIn(made.token);
    await heading('Overview');
    let before = '';
    for (const [path, kind, name, least] of kChanges({ queued, dead })) {
      const what = `${role}: ${path}: ${name}`;
      if (path !== before) {
        await page.goto(home + path);
        await page.getByText(`as-${role} (${role})`).waitFor();
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.locator('.skeleton').first().waitFor({ state: 'detached' });
        before = path;
      }
      const main = page.getByRole('main');
      const found =
        path === '/pictures' ? main.getByText(name) : main.getByRole(kind, { name, exact: true });
      if (ranks.indexOf(role) >= ranks.indexOf(least))
        await found
          .first()
          .waitFor()
          .catch(() => assert.fail(what));
      else assert.equal(await found.count(), 0, what);
    }
    const menu = page.getByRole('navigation').getByRole('link');
    assert.equal(
      await menu.filter({ hasText: /^(Submit|Pictures)$/ }).count(),
      role === 'observe' ? 0 : 2,
    );
  }
  const bound = await ask('POST', '/tokens', { name: 'tenant', role: 'observe', prefix: 'acme/' });
  await open();
  await page.goto(`${home}/login`);
  await logIn((await bound.json()).token);
  await page.getByText('tenant (observe, acme/)').waitFor();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(`${page.url()}: ${error.message}`));
  for (const screen of kScreens) {
    await page.goto(home + screen);
    await page.getByText('tenant (observe, acme/)').waitFor();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
  }
  assert.deepEqual(wrong, []);
  await page.getByRole('navigation').getByRole('link', { name: 'Cluster' }).click();
  await page.getByRole('link', { name: '/openapi.json' }).waitFor();
  for (const name of ['Logs', '/logs', '/metrics'])
    assert.equal(await page.getByRole('link', { name, exact: true }).count(), 0, name);
  await open({ locale: 'fr-FR' });
  await page.goto(`${home}/login`);
  const { token: shown } = await (
    await ask('POST', '/tokens', { name: 'voit', role: 'observe' })
  ).json();
  await page.getByLabel('Jeton').fill(shown);
  await page.getByRole('button', { name: 'Se connecter' }).click();
  await heading('Aperçu');
  await page.goto(`${home}/submit`);
  await page.getByText('Votre jeton a le rôle observer ; il faut le rôle soumettre.').waitFor();
});

for (const options of [
  { colorScheme: 'dark', viewport: { width: 390, height: 844 }, locale: 'fr-FR' },
  { colorScheme: 'light', viewport: { width: 1280, height: 900 }, locale: 'fr-FR' },
]) {
  test(`in French, ${options.colorScheme}, both screens have nothing wrong`, async () => {
    await ask('POST', '/tokens', { name: `a-${options.colorScheme}`, role: 'submit' });
    await open(options);
    await page.goto(`${home}/login`);
    await heading('Se connecter');
    await judge('/login');
    await page.getByLabel('Jeton').fill(token);
    await page.getByRole('button', { name: 'Se connecter' }).click();
    await heading('Aperçu');
    await page.goto(`${home}/access`);
    await page.getByRole('button', { name: `Révoquer a-${options.colorScheme}` }).waitFor();
    await judge('/access');
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(beyond <= 0, `/access is ${beyond} px wider than the window`);
  });
}

// The page in a browser, on a real cluster: EOLE_PAGE is its address, EOLE_UP the process of
// `eole up`, whose gateway is killed once, EOLE_PICTURE a JPEG of over 400 pixels.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { kScreens } from './screens.mjs';

const home = process.env.EOLE_PAGE;
const kPatienceMs = 30_000;

let browser;
let page;
let wrong; // What the browser complained of.

before(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(() => browser?.close());

async function open(options = {}) {
  await page?.context().close();
  const context = await browser.newContext({
    locale: 'en-GB',
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(kPatienceMs);
  page = await context.newPage();
  wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    if (/Content.Security.Policy|Refused to/.test(message.text())) wrong.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(home)) wrong.push(`asked of another host: ${request.url()}`);
  });
  return page;
}
beforeEach(() => open());

const ask = (method, path, body) =>
  fetch(home + path, {
    method,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
async function submit(task) {
  const answer = await ask('POST', '/task', task);
  assert.equal(answer.status, 202);
  return (await answer.json()).ids[0];
}
async function until(condition, what) {
  const end = Date.now() + kPatienceMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `not within ${kPatienceMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
const stateOf = async (id) => (await (await ask('GET', `/task/${id}`)).json()).state;
const ended = (id, state) => until(async () => (await stateOf(id)) === state, `${id} ${state}`);
const isDone = () => page.locator('.headline', { hasText: 'Done' }).waitFor();
const heading = (name) => page.getByRole('heading', { level: 1, name }).waitFor();

test('a first visit submits a task with one press, and shows what became of it', async () => {
  await page.goto(home);
  await page.getByRole('button', { name: 'Submit echo hello' }).click();
  await page.waitForURL('**/tasks/*');
  await isDone();
  await page.getByText('"hello"').first().waitFor();
  await page.goto(home);
  assert.equal(await page.getByRole('button', { name: 'Submit echo hello' }).count(), 0);
  assert.deepEqual(wrong, []);
});

test('a command is submitted by its form, and its output is shown', async () => {
  await page.goto(`${home}/submit?kind=exec`);
  await page.getByLabel('shell', { exact: true }).last().fill('echo from-the-page');
  await page.getByRole('button', { name: 'Submit', exact: true }).click();
  await page.getByRole('region', { name: 'Sent from here' }).getByRole('link').click();
  await page.locator('pre.output', { hasText: 'from-the-page' }).waitFor();
  assert.deepEqual(wrong, []);
});

test('bytes are typed, or taken from a file, where the kind says that it takes some', async () => {
  await page.goto(`${home}/submit?kind=exec`);
  await page.getByLabel('shell', { exact: true }).last().waitFor();
  const script = { name: 'a.sh', mimeType: 'text/plain', buffer: Buffer.from('echo \xff', 'latin1') };
  await page.getByLabel('or a file').first().setInputFiles(script);
  const json = page.getByLabel('The same as JSON');
  const said = async () => JSON.parse(await json.inputValue()).args;
  await until(async () => (await said()).shell?.base64, 'the file in the task');
  assert.equal((await said()).shell.base64, script.buffer.toString('base64'));
  assert.deepEqual(wrong, []);
});

test('an address that nobody has is told by the page', async () => {
  const answer = await page.goto(`${home}/no/where`);
  assert.equal(answer.status(), 404);
  await heading('There is no such screen');
});

test('a refusal has the name that the log has of its request', async () => {
  const named = async (path, does, where) => {
    const answers = [];
    const note = (answer) => answer.url().includes(path) && answers.push(answer.headers()['x-request-id']);
    page.on('response', note);
    await does();
    const shown = where().getByText(/(request|requête) [0-9a-f]{16}$/);
    const [, word, id] = (await shown.textContent()).match(/(\S+) ([0-9a-f]{16})$/);
    page.off('response', note);
    assert.ok(answers.includes(id), `${id} of ${answers}`);
    return word;
  };
  const path = '/schedules/gone';
  await ask('PUT', path, { every: '1h', task: { kind: 'echo' } });
  await page.goto(`${home}/schedules`);
  await page.route(`**${path}/run`, async (route) => {
    await ask('DELETE', path);
    await route.continue();
  });
  const run = page.getByRole('button', { name: 'Run now gone' });
  const toast = () => page.getByRole('status').filter({ hasText: 'Refused' });
  assert.equal(await named(path, () => run.click(), toast), 'request');
  await open({ locale: 'fr-FR' });
  const list = () => page.getByRole('alert');
  assert.equal(await named('/history?', () => page.goto(`${home}/tasks?since=soon`), list), 'requête');
});

test('a time in the address may be a span, or none', async () => {
  for (const said of ['1h', 'soon', '9e99']) {
    await page.goto(`${home}/tasks?since=${said}`);
    await page.getByText(`since ${said}`).waitFor();
  }
  assert.deepEqual(wrong, []);
});

test('of an id that has no story it is said why', async () => {
  const { ventilator } = await (await ask('GET', '/cluster')).json();
  const says = async (id, text) => {
    await page.goto(`${home}/tasks/${id}`);
    await page.getByText(text, { exact: false }).waitFor();
  };
  await says(`${ventilator.origin}-99999999`, 'never accepted a task of that number');
  await says('000000-1', `those of this one begin with ${ventilator.origin}`);
  await says('nothing', "task nothing: is no task's id");
  const gone = { id: `${ventilator.origin}-1`, state: 'dead', is_kept: false, why: [], attempts: [] };
  await page.route('**/task/*', (route) => route.fulfill({ json: gone }));
  await says(gone.id, 'It ended longer ago than results are kept');
  await open({ locale: 'fr-FR' });
  await page.route('**/task/*', (route) => route.fulfill({ json: gone }));
  await says(gone.id, 'on ne sait plus que son état');
  await page.locator('.headline').getByText('morte').waitFor();
  assert.deepEqual(wrong, []);
});

test('what is wrong with a task is said at its field', async () => {
  await page.goto(`${home}/submit?kind=sleep`);
  await page.getByLabel('seconds', { exact: true }).fill('-1');
  await page.getByRole('button', { name: 'Submit', exact: true }).click();
  await page.locator('form .wrong').waitFor();
  assert.equal(await page.getByRole('region', { name: 'Sent from here' }).count(), 0);
});

test('by keys alone a task is submitted and its story read', async () => {
  await page.goto(home);
  await page.getByText('settled / s').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await heading('Submit');
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  const tabTo = async (matches) => {
    for (let presses = 0; presses < 60; presses += 1) {
      if (matches(await focused())) return;
      await page.keyboard.press('Tab');
    }
    assert.fail('not reached by Tab');
  };
  await page.getByLabel('The same as JSON').waitFor();
  await tabTo((text) => text === 'Submit' && page.url().includes('/submit'));
  // The first of that name leads to this screen; the form's comes behind it.
  await page.keyboard.press('Tab');
  await tabTo((text) => text === 'Submit');
  await page.keyboard.press('Enter');
  const sent = page.getByRole('region', { name: 'Sent from here' }).getByRole('link');
  await sent.waitFor();
  const id = await sent.textContent();
  await tabTo((text) => text === id);
  await page.keyboard.press('Enter');
  await isDone();
});

test('a dead letter is replayed, edited and discarded', async () => {
  const letter = { kind: 'exec', args: { shell: 'exit 9' }, retry: true, attempts: 1 };
  const id = await submit(letter);
  await ended(id, 'dead');
  await page.goto(`${home}/dead`);
  await page.getByRole('button', { name: `Replay ${id}` }).click();
  const again = page.getByRole('status').getByRole('link');
  await again.waitFor();
  const anew = await again.textContent();
  await ended(anew, 'dead');
  await page.getByRole('button', { name: `Replay ${id}` }).waitFor({ state: 'detached' });
  await open(); // A browser that replayed nothing.
  await page.goto(`${home}/tasks/${id}`);
  await page.locator('span', { hasText: 'replayed as' }).getByRole('link', { name: anew }).click();
  await heading(anew);
  await page.locator('span', { hasText: 'replay of' }).getByRole('link', { name: id }).waitFor();
  assert.equal(await page.getByText('idempotency key').count(), 0);
  await page.goto(`${home}/dead`);
  await page.getByRole('button', { name: `Edit and submit ${anew}` }).click();
  await heading('Submit');
  const shell = page.getByLabel('shell', { exact: true }).last();
  await until(async () => (await shell.inputValue()) === 'exit 9', 'the letter in the form');
  await shell.fill('echo mended');
  await page.getByRole('button', { name: 'Submit', exact: true }).click();
  await page.getByRole('region', { name: 'Sent from here' }).getByText('done').waitFor();
  await page.goto(`${home}/dead`);
  await page.getByRole('button', { name: `Discard ${anew}` }).click();
  await page.getByLabel('Why').fill('was mended by hand');
  await page.getByLabel('Why').press('Enter');
  await page.getByRole('button', { name: `Discard ${anew}` }).waitFor({ state: 'detached' });
  await page.goto(`${home}/logs`);
  await page.getByText(/discarded by .*: was mended by hand/).waitFor();
  assert.deepEqual(wrong, []);
});

test('a story has the key that its task was submitted with', async () => {
  const answer = await fetch(`${home}/task`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'once only' },
    body: '{"kind": "echo"}',
  });
  await page.goto(`${home}/tasks/${(await answer.json()).ids[0]}`);
  await page.getByText('idempotency key once only').waitFor();
  assert.deepEqual(wrong, []);
});

test('dead letters are replayed at a rate', async () => {
  const letter = {
    kind: 'dead',
    args: { error: 'at a rate' },
    project: 'paced',
    retry: true,
    attempts: 1,
  };
  const ids = [await submit(letter), await submit(letter)];
  for (const id of ids) await ended(id, 'dead');
  await page.goto(`${home}/dead?group=at+a+rate`);
  await page.getByRole('button', { name: 'Replay 2' }).click();
  await page.getByLabel('At most so many a second').fill('0.001');
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
  await page.getByRole('status').getByText('2').waitFor();
  const later = (await (await ask('GET', '/tasks?project=paced&state=waiting')).json()).tasks;
  assert.equal(later.length, 1);
  await ask('DELETE', `/task/${later[0].id}`);
});

test('each dead letter is on a page of its reason, however many there are', async () => {
  const kMany = 1205;
  const dying = (error) => ({ kind: 'dead', args: { error }, retry: true, attempts: 1 });
  const answer = await ask('POST', '/task', Array(kMany).fill(dying('one of so many')));
  const ids = new Set((await answer.json()).ids);
  const last = await submit(dying('behind them all'));
  await ended(last, 'dead');
  await until(async () => {
    const { groups } = await (await ask('GET', '/dead/groups')).json();
    return groups.some(({ group, count }) => group === 'one of so many' && count === kMany);
  }, 'all are dead');
  await page.goto(`${home}/dead?group=behind+them+all`);
  await page.getByRole('button', { name: `Discard ${last}` }).waitFor();
  await page.getByRole('button', { name: 'one of so many' }).click();
  const next = page.getByRole('link', { name: 'Next page' });
  const seen = new Set();
  for (let at = 0; at < kMany; at += 200) {
    const many = Math.min(200, kMany - at);
    await page.getByText(`${many} of 1,205 tasks`).waitFor();
    const shown = await until(async () => {
      const links = await page.locator('.letter-head a').allTextContents();
      return links.length === many && links.every((id) => !seen.has(id)) && links;
    }, `page of ${at}`);
    for (const id of shown) seen.add(id);
    if (many === 200) await next.click();
  }
  assert.deepEqual([...seen].sort(), [...ids].sort());
  assert.equal(await next.count(), 0);
  await page.getByRole('link', { name: 'First page' }).click();
  await page.locator('.letter-head a').nth(199).waitFor();
  await page.goBack();
  await page.getByText('5 of 1,205 tasks').waitFor();
  for (const group of ['one of so many', 'behind them all']) await ask('POST', '/dead/discard', { group });
  assert.deepEqual(wrong, []);
});

test('what an argument is without being said can be switched off, and lists are chosen from', async () => {
  await page.goto(`${home}/submit?kind=image`);
  await page.getByText('more arguments').click();
  assert.ok(await page.getByLabel('optimise', { exact: true }).isChecked());
  await page.getByLabel('optimise', { exact: true }).uncheck();
  await page.getByLabel('icc', { exact: true }).check();
  const json = page.getByLabel('The same as JSON');
  const args = async () => JSON.parse(await json.inputValue()).args;
  assert.deepEqual(await args(), { artifact: '', optimise: false, keep: ['icc'] });
  await page.getByLabel('optimise', { exact: true }).check();
  assert.deepEqual(await args(), { artifact: '', keep: ['icc'] });
  await page.getByLabel('data', { exact: true }).first().check();
  await page.getByLabel('or a file').setInputFiles({
    name: 'a.bin',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from([0, 255, 16]),
  });
  await until(async () => (await args()).data?.base64 === 'AP8Q', 'the bytes of the file');
});

test('solutions of queens are boards in their task’s story', async () => {
  const id = await submit({ kind: 'nqueens', args: { n: 6, show: 3 } });
  await ended(id, 'done');
  await page.goto(`${home}/tasks/${id}`);
  await page.getByRole('img', { name: 'A solution: 1 3 5 0 2 4' }).waitFor();
  assert.equal(await page.locator('.boards svg').count(), 3);
});

test('what the gateway answered is told by route and status, and how long syncs take', async () => {
  await ask('GET', '/task/nonsense');
  await page.goto(`${home}/cluster`);
  const route = page.getByRole('listitem').filter({ hasText: 'GET /task/{id}' });
  await route.getByText('404').waitFor();
  assert.equal(await page.getByText(/^≤ .* m?s, ≤ .* m?s$/).count(), 2);
});

test('by keys alone a dead letter is found and replayed', async () => {
  const letter = { kind: 'exec', args: { shell: 'exit 7' }, retry: true, attempts: 1 };
  const id = await submit(letter);
  await ended(id, 'dead');
  await page.goto(home);
  await page.getByText('settled / s').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('state:dead kind:exec');
  await page.keyboard.press('Enter');
  await page.getByRole('row', { name: id }).waitFor();
  await page.keyboard.press('j');
  while (!(await page.evaluate(() => document.activeElement.textContent)).includes(id))
    await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await heading(id);
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await page.evaluate(() => document.activeElement.textContent)) === 'Replay') break;
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await page.getByText('replay of').waitFor();
  assert.deepEqual(wrong, []);
});

test('tasks are found by words with completion, sorted, and shown with a story beside', async () => {
  await open({ viewport: { width: 1400, height: 900 } });
  const kind = { kind: 'sleep', args: { seconds: 0.2 }, project: 'found' };
  await ask('POST', '/task?wait=20s', kind);
  await submit({ kind: 'echo', args: {}, project: 'found' });
  await page.goto(`${home}/tasks?project=found`);
  const filter = page.getByRole('combobox', { name: 'Filter', exact: true });
  await filter.fill('ki');
  await page.getByRole('option', { name: 'kind:' }).click();
  await filter.pressSequentially('sle');
  await page.getByRole('option', { name: 'kind:sleep' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL('**kind=sleep*');
  await page.getByText('1 task', { exact: true }).waitFor();
  await filter.fill('took:>1m');
  await page.keyboard.press('Enter');
  await page.getByText('No task matches kind:sleep project:found ran:1m').waitFor();
  await page.getByRole('button', { name: 'Without ran:1m' }).click();
  await page.getByRole('button', { name: 'Without kind:sleep' }).click();
  await page.getByRole('button', { name: 'Kind', exact: true }).click();
  await page.getByRole('columnheader', { name: 'Kind ↓' }).waitFor();
  assert.match(await page.getByRole('row').nth(1).textContent(), /sleep/);
  await page.getByRole('button', { name: 'Beside' }).click();
  await page.getByRole('row').nth(2).press('Enter');
  await page.getByRole('complementary').getByText('Done', { exact: false }).first().waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('complementary').waitFor({ state: 'detached' });
  await page.getByText('Columns').click();
  await page.getByLabel('Offset').check();
  await page.getByLabel('Submitted').check();
  const waited = await page.getByRole('columnheader').allTextContents();
  const at = (name) => waited.findIndex((each) => each.startsWith(name));
  const first = page.getByRole('row').nth(1).getByRole('gridcell');
  assert.match(await first.nth(at('Waited')).textContent(), /^[\d.]+ (ms|s)$/);
  assert.match(await first.nth(at('Submitted')).textContent(), /ago|now/);
  assert.match(page.url(), /cols=.*offset/);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page
      .getByText('Export', { exact: true })
      .click()
      .then(() => page.getByRole('button', { name: 'CSV' }).click()),
  ]);
  const lines = readFileSync(await file.path(), 'utf8')
    .trim()
    .split('\r\n');
  assert.equal(lines.length, 3);
  assert.match(lines[0], /^offset,id,kind,project,state/);
  assert.deepEqual(wrong, []);
});

test('what a running command prints is shown as it comes, and follows who is at its end', async () => {
  const shell =
    'n=0; while :; do n=$((n+1)); echo line $n; echo 40/100 sorting >&3; sleep 0.02; done';
  const id = await submit({ kind: 'exec', args: { shell } });
  await page.goto(`${home}/tasks/${id}`);
  const output = page.locator('pre.output');
  await until(async () => {
    if ((await output.count()) === 0) return false;
    return (await output.textContent()).split('\n').length > 60;
  }, 'more lines than are in sight');
  await page.getByText('40 % sorting').waitFor();
  const below = () => output.evaluate((box) => box.scrollHeight - box.clientHeight - box.scrollTop);
  await until(async () => (await below()) < 25, 'the end in sight');
  await output.evaluate((box) => (box.scrollTop = 0));
  const before = (await output.textContent()).length;
  await until(async () => (await output.textContent()).length > before, 'more of it');
  assert.equal(await output.evaluate((box) => box.scrollTop), 0);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel it' }).click();
  await page.getByText('It was cancelled.').waitFor();
  assert.deepEqual(wrong, []);
});

test('why a task waits is two presses away', async () => {
  const id = await submit({ kind: 'echo', args: {}, needs: { gpu: 'a100' }, project: 'wanting' });
  await page.goto(home);
  await page
    .getByRole('link', { name: /^queued|^waiting/ })
    .first()
    .click();
  await page.getByRole('link', { name: id }).click();
  await page.getByText(/needs gpu=a100/).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel it' }).click();
  await page.getByText('It was cancelled.').waitFor();
});

test('all that match are cancelled, after their number was said', async () => {
  const task = { kind: 'echo', args: {}, needs: { gpu: 'a100' }, project: 'unwanted' };
  await ask('POST', '/task', [task, task, task]);
  await page.goto(`${home}/tasks?project=unwanted&state=queued`);
  await page.getByRole('button', { name: 'Cancel all that match' }).click();
  await page.getByRole('dialog', { name: /Cancel 3 tasks of/ }).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel them' }).click();
  await page.getByText('No task matches').waitFor();
  const project = await (await ask('GET', '/projects/unwanted')).json();
  assert.equal(project.cancelled, 3);
});

test('a project is a map of its tasks, and can be paused', async () => {
  await ask(
    'POST',
    '/task',
    Array.from({ length: 30 }, (_, n) => ({ kind: 'echo', args: { n }, project: 'many' })),
  );
  await page.goto(`${home}/projects`);
  await page.getByRole('link', { name: 'many' }).click();
  await page.getByText(/30 of 30 done/).waitFor();
  const map = page.getByRole('img', { name: /A square for each of 30 tasks/ });
  const box = await map.boundingBox();
  await page.mouse.move(box.x + 4, box.y + 4);
  await page.mouse.down();
  await page.mouse.move(box.x + 4 + 9 * 14, box.y + 4, { steps: 3 });
  await page.mouse.up();
  await page
    .getByRole('region', { name: 'Drawn over' })
    .getByRole('button', { name: /done\s*10/ })
    .waitFor();
  await page
    .getByRole('region', { name: 'Over time' })
    .getByRole('img', { name: /Ended a second/ })
    .waitFor();
  await page.getByRole('button', { name: 'Pin', exact: true }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'many' }).waitFor();
  await page.getByRole('button', { name: 'Unpin' }).click();
  assert.deepEqual(wrong, []);
});

test('a map shows all that waits, and what of it ended meanwhile', async () => {
  const task = { kind: 'echo', args: {}, needs: { gpu: 'a100' }, project: 'wide' };
  await ask('POST', '/task', Array.from({ length: 2300 }, () => task));
  await page.goto(`${home}/projects/wide`);
  await page.getByRole('img', { name: /A square for each of 2,300 tasks/ }).waitFor();
  const ends = page.getByText('first and last end:');
  assert.equal(await ends.count(), 0);
  await ask('POST', '/task', [task, task]);
  const map = page.getByRole('img', { name: /A square for each of 2,302 tasks/ });
  await map.waitFor();
  const box = await map.boundingBox();
  await page.mouse.move(box.x + 2, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + 2, { steps: 3 });
  await page.mouse.up();
  const drawnOver = page.getByRole('region', { name: 'Drawn over' });
  const queued = drawnOver.getByRole('button', { name: /queued\s*\d/ });
  await queued.waitFor();
  await ask('POST', '/tasks/cancel', { project: 'wide' });
  const cancelled = async () => (await (await ask('GET', '/projects/wide')).json()).cancelled;
  await until(async () => (await cancelled()) === 2302, 'all cancelled');
  await drawnOver.getByRole('button', { name: /cancelled\s*\d/ }).waitFor();
  await queued.waitFor({ state: 'detached' });
  assert.equal(await ends.locator('time').count(), 2);
  assert.deepEqual(wrong, []);
});

test('of a long list those in sight are drawn, wherever one scrolls', async () => {
  const tasks = Array.from({ length: 300 }, (_, n) => ({ kind: 'echo', args: { n }, project: 'long' }));
  await ask('POST', '/task', tasks);
  const over = async () => (await (await ask('GET', '/projects/long')).json()).done === 300;
  await until(over, 'all done');
  await page.goto(`${home}/tasks?project=long`);
  await page.getByRole('row').nth(1).waitFor();
  for (const index of [150, 290, 4]) {
    // Rows are 32 px high; the first of them has the index 2.
    await page.evaluate((at) => {
      const top = document.querySelector('[role=rowgroup]').getBoundingClientRect().top + scrollY;
      scrollTo(0, top + (at - 2) * 32 - 400);
    }, index);
    const row = page.locator(`[role=row][aria-rowindex="${index}"]`);
    await row.waitFor();
    assert.ok((await row.boundingBox()).y < 900, 'where it belongs');
    assert.ok((await page.getByRole('row').count()) < 120, 'only those near it');
  }
});

test('how long tasks wait and run is a chart, as are deaths; a worker says when it was heard', async () => {
  await page.goto(home);
  await page.getByRole('img', { name: /^Wait and run time/ }).waitFor();
  const task = { kind: 'sleep', args: { seconds: 0.1 } };
  const chart = page.getByRole('img', {
    name: /^Wait and run time: .*p50: [\d.]+ ms.*ran p50: [\d.]+ m?s/,
  });
  await until(async () => {
    await ask('POST', '/task?wait=20s', task);
    return (await chart.count()) === 1;
  }, 'figures in the chart');
  await page.goto(`${home}/workers`);
  await page.getByText(/^heard [\d.]+ m?s ago$/).first().waitFor();
  const letter = { kind: 'exec', args: { shell: 'exit 6' }, retry: true, attempts: 1 };
  await ended(await submit(letter), 'dead');
  await page.goto(`${home}/dead`);
  const group = page.getByRole('listitem').filter({ hasText: 'exit code 6' }).first();
  const trend = group.getByRole('img', { name: '1 died in the last day' });
  assert.equal(await trend.locator('rect').last().getAttribute('height'), '19');
  assert.deepEqual(wrong, []);
});

test('events and logs are shown from an offset or a time on', async () => {
  await ask('POST', '/task?wait=20s', { kind: 'echo', args: {} });
  await page.goto(`${home}/events-log`);
  await page.getByLabel('Offset or time to jump to').fill('0');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/events-log?at=0');
  await page.locator('[aria-rowindex="2"]').getByRole('gridcell', { name: '0', exact: true }).waitFor();
  const soon = new Date(Date.now() + 1000).toISOString();
  await page.getByLabel('Offset or time to jump to').fill(soon);
  await page.getByRole('button', { name: 'Jump' }).click();
  await page.getByText(`Nothing has settled from ${soon} on.`).waitFor();
  const id = await submit({ kind: 'echo', args: {} });
  await page.locator('[aria-rowindex="2"]').getByText(id).waitFor();
  await page.getByRole('button', { name: 'Back to now' }).click();
  await page.waitForURL('**/events-log');
  await page.goto(`${home}/logs?at=1h`);
  const times = page.locator('[role=rowgroup] time');
  await times.nth(2).waitFor();
  const shown = () => times.evaluateAll((all) => all.slice(0, 8).map((each) => each.title)); // Offsets.
  assert.deepEqual(await shown(), (await shown()).sort());
  await page.getByRole('button', { name: 'Back to now' }).click();
  await until(async () => {
    const now = await shown();
    return now.length > 2 && now.join() === [...now].sort().reverse().join();
  }, 'the newest first');
  assert.deepEqual(wrong, []);
});

test('ends of a day are a chart, whose points lead to its tasks', async () => {
  await page.goto(`${home}/?range=24+h`);
  const chart = page.getByRole('img', { name: /Ended a second/ });
  await chart.waitFor();
  const box = await chart.boundingBox();
  await page.mouse.click(box.x + box.width - 60, box.y + 40);
  await page.waitForURL('**/tasks?since=*');
  await page
    .getByText(/^since|^Since/)
    .first()
    .waitFor();
});

test('a schedule is added and fires', async () => {
  await page.goto(`${home}/schedules`);
  await page.getByLabel('Name').fill('tick');
  await page.getByLabel('When').fill('1s');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText(/fired [1-9]/).waitFor();
  await page.getByRole('button', { name: 'Remove tick' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('No schedules.', { exact: false }).waitFor();
});

test('a task whose worker is killed moves on, and its story says so', async () => {
  const id = await submit({ kind: 'sleep', args: { seconds: 600 } });
  await page.goto(`${home}/tasks/${id}`);
  await page.getByText(/It runs now, on w\d/).waitFor();
  const name = /w\d/.exec(await page.locator('.headline').textContent())[0];
  const workers = await (await ask('GET', '/workers')).json();
  const { pid, host } = workers.find((each) => each.name === name);
  process.kill(pid, 'SIGKILL');
  await page.getByRole('region', { name: 'Attempts' }).getByText('lost', { exact: true }).waitFor();
  await page.getByText(/It runs now, on w\d/).waitFor();
  await ask('DELETE', `/task/${id}`);
  await page.getByText('It was cancelled.').waitFor();
  const attempts = page.getByRole('region', { name: 'Attempts' });
  await attempts.getByText(new RegExp(`^worker ${name}: `)).waitFor();
  await attempts.getByText(/pid \d+ lease \d+-\d+/).waitFor();
  await page.goto(`${home}/workers`);
  await page.getByText(/^[1-9]\d* left within a day$/).waitFor();
  const worker = page.locator('ul.workers > li').filter({ hasText: name }).first();
  const program = `on ${host} · version 0.1.0 · prefetch adapts · started again`;
  await worker.getByText(program, { exact: false }).waitFor();
  await until(async () => {
    await ask('POST', '/task?wait=20s', { kind: 'echo', args: {}, pin: name });
    return (await worker.getByText(/^[\d.]+\/s$/).count()) === 1;
  }, 'a rate');
  await page.goto(`${home}/cluster`);
  for (const role of ['ventilator', 'sink', 'gateway']) {
    const facts = page.getByRole('region', { name: role, exact: true });
    await facts.getByText(/^\d+ % of a core$/).waitFor();
    await facts.getByText(/^[\d.]+ [kMG]B$/).first().waitFor();
  }
  const live = page.locator('dt', { hasText: 'of these, live' }).locator('xpath=following-sibling::dd[1]');
  await until(async () => Number(await live.textContent()) >= 1, 'this page is live');
});

test('a picture comes back smaller, and is compared with what was sent', async (t) => {
  await page.goto(`${home}/pictures`);
  await page.getByLabel('Width at most').fill('400');
  await page.getByLabel('Choose pictures').setInputFiles(process.env.EOLE_PICTURE);
  await page.getByText(/\d+ % saved/).waitFor();
  const after = page.getByAltText(/^after:/);
  await until(
    () => after.evaluate((picture) => picture.naturalWidth === 400),
    'a picture of 400 pixels',
  );
  await page.getByLabel('How much of the result is shown').press('ArrowRight');
  await page
    .getByLabel('Choose pictures')
    .setInputFiles({ name: 'no.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('text') });
  await page.getByText('no.jpg is no JPEG, PNG', { exact: false }).waitFor();
  assert.deepEqual(wrong, []);
});

test('of a folder that is dropped every picture is sent', async () => {
  await page.goto(`${home}/pictures`);
  await heading('Pictures');
  const bytes = readFileSync(process.env.EOLE_PICTURE).toString('base64');
  await page.evaluate((base64) => {
    const picture = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
    const file = (name, content) => ({
      isFile: true,
      file: (take) => take(new File([content], name, { type: 'image/jpeg' })),
    });
    const folder = (...pages) => ({ isFile: false, createReader: () => ({ readEntries: (take) => take(pages.shift() ?? []) }) });
    const inner = folder([file('deep.jpg', picture)]);
    const outer = folder([file('first.jpg', picture), inner], [file('notes.txt', 'text')]); // Told in two parts.
    const dropped = new Event('drop', { cancelable: true });
    dropped.dataTransfer = { items: [{ webkitGetAsEntry: () => outer }] };
    dispatchEvent(dropped);
  }, bytes);
  await page.getByText('notes.txt is no JPEG, PNG', { exact: false }).waitFor();
  for (const name of ['first.jpg', 'deep.jpg'])
    await page.getByRole('listitem').filter({ hasText: name }).getByText(/\d+ % saved/).waitFor();
  assert.deepEqual(wrong, []);
});

test('a download is told as it ends, and its picture is shown', async () => {
  const picture = readFileSync(process.env.EOLE_PICTURE);
  const site = createServer((_, answer) => {
    answer.setHeader('content-type', 'image/jpeg');
    answer.end(picture);
  });
  await new Promise((listens) => site.listen(0, '127.0.0.1', listens));
  try {
    await page.goto(`${home}/events-log?topic=fetched/%23`);
    await page.getByText('live', { exact: true }).first().waitFor();
    const url = `http://127.0.0.1:${site.address().port}/photo.jpg`;
    const id = await submit({ kind: 'download', args: { url }, project: 'fetched' });
    await page.getByRole('link', { name: id }).click();
    const shown = page.getByAltText('photo.jpg');
    await until(() => shown.evaluate((img) => img.naturalWidth > 1000), 'the picture');
  } finally {
    site.close();
  }
  assert.deepEqual(wrong, []);
});

test('an upload that broke off goes on after the page was loaded anew', async () => {
  await page.goto(`${home}/pictures`);
  let sent = 0;
  await page.route('**/uploads/*', (route) => {
    if (route.request().method() !== 'PATCH' || (sent += 1) > 1) return route.continue();
    return route.abort();
  });
  await page.getByLabel('Choose pictures').setInputFiles(process.env.EOLE_PICTURE);
  await until(() => sent > 0, 'a first try');
  await page.reload();
  await page.getByText('was broken off', { exact: false }).waitFor();
  await page.getByLabel('Choose pictures').setInputFiles(process.env.EOLE_PICTURE);
  await page.getByText(/\d+ % saved|as small as it was/).waitFor();
  assert.equal(await page.getByText('was broken off', { exact: false }).count(), 0);
});

test('queens are counted on a board', async (t) => {
  await page.goto(`${home}/queens`);
  await page.getByLabel('Queens', { exact: true }).fill('6');
  await page.getByRole('button', { name: /Count with/ }).click();
  await page.getByText('6 queens: 4 solutions.').waitFor();
  await page.getByRole('img', { name: /^A solution: / }).waitFor();
});

test('a page without a gateway says so, and catches up without being loaded again', async () => {
  await page.goto(`${home}/tasks?kind=sleep&state=running`);
  await page.getByText('No task matches').waitFor();
  await page.evaluate(() => (window.isSame = true));
  const up = Number(process.env.EOLE_UP);
  const gateway = execFileSync('pgrep', ['-P', String(up), '-x', 'gateway'])
    .toString()
    .trim();
  process.kill(up, 'SIGSTOP'); // It starts no other one meanwhile.
  try {
    process.kill(Number(gateway), 'SIGKILL');
    await page.getByRole('alert').getByText('does not answer', { exact: false }).waitFor();
    await page.getByText('No task matches').waitFor(); // What was shown stays.
  } finally {
    process.kill(up, 'SIGCONT');
  }
  const task = { kind: 'sleep', args: { seconds: 600 } };
  const id = await until(() => submit(task).catch(() => null), 'a gateway');
  await page.getByRole('link', { name: id }).waitFor();
  await page.getByRole('alert').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => window.isSame), true);
  await ask('DELETE', `/task/${id}`);
});

test('what roles log is shown as it comes, narrowed by level and task', async () => {
  const id = await submit({ kind: 'exec', args: { shell: 'exit 7' } });
  await ended(id, 'failed');
  await page.goto(`${home}/logs?level=warn&task=${id}`);
  await heading('Logs');
  const row = page.getByRole('row').filter({ hasText: 'exit code 7' });
  await row.getByRole('link', { name: id }).waitFor();
  assert.equal(await page.getByLabel('Level').inputValue(), 'warn');
  await page.getByLabel('Level').selectOption('error');
  await page.getByText('No role has said such a thing').waitFor();
  await page.goto(`${home}/tasks/${id}`);
  await page.getByRole('link', { name: 'What roles said of it' }).click();
  await row.waitFor();
});

/** Does what is to be done while that role, which is killed, is not started again. */
async function whileAway(role, act) {
  const up = Number(process.env.EOLE_UP);
  const pid = execFileSync('pgrep', ['-P', String(up), '-x', role]);
  process.kill(up, 'SIGSTOP');
  try {
    process.kill(Number(pid), 'SIGKILL');
    await act();
  } finally {
    process.kill(up, 'SIGCONT');
  }
}

for (const role of ['sink', 'ventilator'])
  test(`a page without a ${role} says so, and catches up without losing a row`, async () => {
    const task = { kind: 'echo', args: {}, project: `without-${role}` };
    await ask('POST', '/task?wait=20s', task);
    await page.goto(`${home}/tasks?project=without-${role}`);
    await page.getByText('1 task', { exact: true }).waitFor();
    await page.evaluate(() => (window.isSame = true));
    await whileAway(role, async () => {
      await page
        .getByRole('alert')
        .getByText(`The ${role} has not answered`, { exact: false })
        .waitFor();
      assert.equal(await page.getByRole('row').count(), 2);
    });
    await until(async () => (await ask('POST', '/task', [task, task])).status === 202, 'accepted');
    await page.getByRole('row').nth(3).waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => window.isSame), true);
  });

for (const role of ['sink', 'ventilator'])
  test(`of a ${role} that is away it is said since when, and what it said last`, async () => {
    const words = page.waitForResponse((answer) => answer.url().includes(`/logs?role=${role}`));
    await page.goto(`${home}/cluster`);
    const about = () => page.getByRole('region', { name: role, exact: true });
    await about().getByText('answers', { exact: true }).waitFor();
    const { lines } = await (await words).json();
    await whileAway(role, async () => {
      const killed = Date.now();
      await about().getByText('does not answer', { exact: false }).waitFor();
      const last = about().getByRole('figure').filter({ hasText: 'What it said last' });
      await last.getByText(lines[0].text, { exact: false }).waitFor();
      await open({ locale: 'fr-FR' }); // Who comes later sees it, too.
      if (role === 'sink') {
        await page.goto(home); // What it counts is not zero, but not known.
        await page.getByRole('link', { name: /^lettres mortes – –/ }).waitFor();
      }
      await page.goto(`${home}/cluster`);
      await about().getByText('ne répond pas', { exact: false }).first().waitFor();
      const since = await about().locator('.section-head time').getAttribute('datetime');
      assert.ok(Date.parse(since) <= killed, `${since}, killed ${killed}`);
      const later = about().getByRole('figure').filter({ hasText: 'Ses derniers mots' });
      const said = role === 'sink' ? 'sink.log' : lines[0].text;
      await later.getByText(said, { exact: false }).waitFor();
    });
    await about().getByText('répond', { exact: true }).waitFor();
    const again = about().getByText('redémarrages').locator('xpath=following-sibling::dd[1]');
    await until(async () => Number(await again.textContent()) > 0, 'a restart');
    await open();
    await page.goto(home);
    const strip = page.getByRole('listitem').filter({ hasText: role });
    await strip.getByText(/started again (once|\d+ times)$/).waitFor();
  });

test('in French it is French, and the choice stays', async () => {
  await open({ locale: 'fr-FR' });
  await page.goto(home);
  await page.getByRole('heading', { name: 'Aperçu' }).waitFor();
  const waits = await submit({ kind: 'nobodys', args: {} });
  await page.goto(`${home}/tasks/${waits}`);
  await page.getByText('Aucun ouvrier connecté n’offre nobodys.').waitFor();
  await ask('DELETE', `/task/${waits}`);
  const letter = { kind: 'exec', args: { shell: 'exit 4' }, retry: true, attempts: 1 };
  await ended(await submit(letter), 'dead');
  await page.goto(`${home}/dead`);
  await page.getByText('essai 1 : échec : exit code 4').first().waitFor();
  await page.goto(`${home}/tasks?state=dead`);
  await page.getByText('morte après 1 essai, essai 1 : échec : exit code 4').first().waitFor();
  await ended(await submit({ kind: 'dead', args: { error: 'attempt 1: its own words' } }), 'failed');
  await page.goto(`${home}/tasks?state=failed`);
  await page.getByText('attempt 1: its own words', { exact: true }).first().waitFor();
  const { kinds } = await (await ask('GET', '/kinds')).json();
  const built = kinds.filter(({ name }) => /^(collect|dead|download|echo|exec|image|nqueens|sleep)$/.test(name));
  assert.equal(built.length, 8);
  for (const { name, about } of built) {
    await page.goto(`${home}/submit?kind=${name}`);
    const kind = page.getByLabel('Genre', { exact: true });
    await until(async () => (await kind.inputValue()) === name, name);
    const said = (await page.locator('.hint').allTextContents()).filter((each) => each !== '');
    const english = JSON.stringify([about, kinds.find((each) => each.name === name)]);
    for (const each of said) assert.ok(!english.includes(JSON.stringify(each).slice(1, -1)), each);
    assert.ok(said.length > 0, name);
  }
  await page.goto(home);
  await page.getByLabel('Language / Langue').selectOption('en');
  await page.reload();
  await heading('Overview');
});

test('a group is made, moved after it was said what that skips, and removed', async () => {
  await page.goto(`${home}/groups`);
  const form = page.getByRole('region', { name: 'Add a group' });
  await form.getByLabel('Name').fill('bills');
  await form.getByLabel('Partitions').fill('many');
  await form.getByRole('button', { name: 'Add' }).click();
  await form.getByText('This is no JSON yet').waitFor();
  await form.getByLabel('Partitions').fill('900');
  await form.getByRole('button', { name: 'Add' }).click();
  await form.locator('.wrong', { hasText: '900 partitions' }).waitFor();
  await form.getByLabel('Partitions').fill('2');
  await form.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('link', { name: 'bills' }).waitFor();
  await ask('POST', '/task?wait=20s', { kind: 'echo', args: {} });
  await ask('POST', '/task?wait=20s', { kind: 'echo', args: {} });
  await page.getByText(/2 unread, the oldest/).first().waitFor();
  await page.getByRole('link', { name: 'bills' }).click();
  await heading('bills');
  await page.getByRole('region', { name: 'Partitions' }).getByText('nobody').nth(1).waitFor();
  const move = page.getByRole('region', { name: 'Move' });
  await move.getByLabel('Where it goes on').fill('latest');
  await move.getByRole('button', { name: 'Move' }).click();
  const asked = page.getByRole('dialog', { name: /2 records are skipped, 0 are read again/ });
  await asked.waitFor();
  const lag = async () => (await (await ask('GET', '/groups/bills')).json()).lag_records;
  assert.equal(await lag(), 2);
  const name = asked.getByLabel('Type bills to go on');
  await name.press('Enter'); // The name first, and all of it.
  await name.fill('bill');
  assert.equal(await asked.getByRole('button', { name: 'Move' }).isDisabled(), true);
  await name.press('Enter');
  assert.equal(await lag(), 2);
  await name.fill('bills');
  await name.press('Enter');
  await page.getByText('nothing unread').first().waitFor();
  assert.equal(await lag(), 0);
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.waitForURL('**/groups');
  await page.getByRole('link', { name: 'bills' }).waitFor({ state: 'detached' });
  assert.deepEqual(wrong, []);
});

test('a member says what it has in hand, and is removed', async () => {
  await ask('POST', '/groups', { group: 'held', partitions: 2 });
  await ask('POST', '/task?wait=20s', { kind: 'echo', args: {} });
  const read = (member) => ask('GET', `/groups/held/records?member=${member}&wait=20s`);
  assert.equal((await (await read('stuck')).json()).records.length, 1);
  await page.goto(`${home}/groups/held`);
  const members = page.getByRole('region', { name: 'Members' });
  const stuck = members.getByRole('listitem').filter({ hasText: 'stuck' });
  await stuck.getByText('1 unacknowledged').waitFor();
  await stuck.getByText(/^(now|\d+ s ago)$/).waitFor();
  await page.getByText(/in \d+\/s, out \d+\/s/).waitFor();
  await stuck.getByRole('button', { name: 'Remove stuck' }).click();
  const asked = page.getByRole('dialog', { name: /Remove the member stuck\?/ });
  await asked.getByRole('button', { name: 'Remove' }).click();
  await stuck.waitFor({ state: 'detached' });
  assert.equal((await (await read('other')).json()).records.length, 1);
  await page.getByText('1 came again').waitFor();
  assert.deepEqual(wrong, []);
});

test('a chain and an alert are added and removed', async () => {
  await page.goto(`${home}/groups`);
  const chains = page.getByRole('region', { name: 'Chains' });
  await chains.getByLabel('Name').fill('nexts');
  await chains.getByLabel('Topic').fill('first/echo/done');
  await chains.getByLabel('The task as JSON').fill('{"kind": "echo", "attempts": 999}');
  await chains.getByRole('button', { name: 'Add' }).click();
  await chains.locator('.is-wrong').getByText('999').waitFor();
  await chains.getByLabel('The task as JSON').fill('{"kind": "echo", "project": "nexts"}');
  await chains.getByRole('button', { name: 'Add' }).click();
  await chains.getByRole('link', { name: 'nexts' }).waitFor();
  await ask('POST', '/task', { kind: 'echo', args: {}, project: 'first' });
  await until(async () => (await ask('GET', '/projects/nexts')).status === 200, 'what follows');
  await chains.getByRole('button', { name: 'Remove nexts' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await chains.getByRole('link', { name: 'nexts' }).waitFor({ state: 'detached' });
  const alerts = page.getByRole('region', { name: 'Alerts' });
  await alerts.getByLabel('Group').fill('nexts');
  await alerts.getByLabel('Seconds behind').fill('60');
  await alerts.getByRole('button', { name: 'Add' }).click();
  await alerts.getByRole('button', { name: 'Remove nexts' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await alerts.getByRole('button', { name: 'Remove nexts' }).waitFor({ state: 'detached' });
  assert.deepEqual(wrong, []);
});

for (const colorScheme of ['light', 'dark']) {
  test(`no screen has what axe finds wrong, ${colorScheme}`, async () => {
    const width = colorScheme === 'light' ? 1280 : 390; // Each width once.
    await open({ colorScheme, viewport: { width, height: 844 } });
    await ask('POST', '/groups', { group: 'seen' });
    await ask('GET', '/groups/seen/records?member=reader&wait=0s&lease=1h');
    await ask('POST', '/alerts', { group: 'seen', seconds: 1 });
    const id = await submit({ kind: 'exec', args: { shell: 'echo shown; exit 1' } });
    await ended(id, 'failed');
    const raised = async () => (await (await ask('GET', '/alerts')).json()).raised.length > 0;
    await until(raised, 'the group is late');
    for (const screen of [...kScreens, `/tasks/${id}`]) {
      await page.goto(home + screen);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
      const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] }); // There are no frames.
      if (colorScheme === 'dark') axe.withRules(['color-contrast']); // What else could differ?
      const { violations } = await axe.analyze();
      assert.deepEqual(
        violations.map((each) => `${screen}: ${each.id}: ${each.nodes[0]?.html}`),
        [],
      );
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(beyond <= 0, `${screen} is ${beyond} px wider than the window`);
    }
  });
}

for (const colorScheme of ['light', 'dark'])
  test(`no state has what axe finds wrong, ${colorScheme}`, async () => {
    await open({ colorScheme, viewport: { width: 1400, height: 844 } });
    await page.addInitScript(() => localStorage.setItem('eole.split', 'yes'));
    const judge = async (what) => {
      const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
      if (colorScheme === 'dark') axe.withRules(['color-contrast']);
      const { violations } = await axe.analyze();
      assert.deepEqual(
        violations.map((each) => `${what}: ${each.id}: ${each.nodes[0]?.html}`),
        [],
      );
    };
    const shell = 'while sleep 0.1; do echo more; echo 1/2 half >&3; done';
    const id = await submit({ kind: 'exec', args: { shell }, project: 'many' });
    await page.goto(`${home}/tasks?project=many&sort=kind&open=${id}`);
    await page.locator('pre.output').waitFor();
    await page.getByRole('combobox', { name: 'Filter', exact: true }).fill('s');
    await page.keyboard.press('ArrowDown');
    await judge('a story beside its list, a filter being typed');
    await page.getByText('Columns').click();
    await page.getByRole('row').nth(1).press('x');
    await page.getByRole('button', { name: 'Pause' }).click();
    await judge('columns being chosen, a row chosen, the page held still');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('complementary').getByRole('button', { name: 'Cancel' }).click();
    await judge('a question');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel it' }).click();
    await page.getByRole('status').getByText('being cancelled', { exact: false }).waitFor();
    await page.route('**/cluster', (route) => route.abort());
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('alert').getByText('trying again in', { exact: false }).waitFor();
    await judge('an act told, and no gateway');
  });

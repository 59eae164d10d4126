// Each figure leads to the rows it is made of, and what is sent again is sent once; and a page's own
// EventSource. EOLE_PAGE is the address of a cluster that nobody else uses.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const home = process.env.EOLE_PAGE;
const kPatienceMs = 30_000;

let browser;
let page;

before(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(kPatienceMs);
  page = await context.newPage();
});
after(() => browser?.close());

const ask = async (method, path, body) => {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const answer = await fetch(home + path, { method, headers, body: body && JSON.stringify(body) });
  return answer.json();
};
async function until(condition, what) {
  const end = Date.now() + kPatienceMs;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `not within ${kPatienceMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
const settled = (count) =>
  until(async () => (await ask('GET', '/cluster')).sink?.settled === count, `${count} settled`);

test('a number leads to the rows it is made of', async () => {
  const exec = (shell, more = {}) => ({ kind: 'exec', args: { shell }, ...more });
  const dies = { retry: { attempts: 1 } };
  const later = { retry: { attempts: 9, backoff: '1h' } };
  const { ids } = await ask('POST', '/task', [
    ...[1, 2, 3].map((n) => ({ kind: 'echo', args: n })),
    ...[1, 2].map(() => exec('exit 1')),
    ...[1, 2, 3, 4].map(() => exec('exit 2', dies)),
    exec('exit 3', later), // Waits for its next attempt, as what is delayed waits for its first.
    { kind: 'echo', delay: '1h' },
    ...[1, 2].map(() => ({ kind: 'echo', needs: { gpu: 'a100' } })),
    { kind: 'sleep', args: { seconds: 600 } },
  ]);
  assert.equal(ids?.length, 14);
  await settled(9);
  await until(async () => (await ask('GET', '/cluster')).ventilator?.waiting === 2, 'two wait');
  const [letter] = (await ask('GET', '/dead')).letters;
  await ask('POST', '/dead/discard', { ids: [letter.id] });
  for (const [name, value, rows] of [
    ['settled / s', '9 in all', 9],
    ['failed / s', '6 in all', 6],
    ['queued', '2', 2],
    ['running', '1', 1],
    ['waiting', '2', 2],
    ['done', '3', 3],
    ['dead', '4', 4],
  ]) {
    await page.goto(home);
    const link = page.locator('main').getByRole('link', { name: new RegExp(`^${name}`) }).last();
    await link.getByText(value, { exact: true }).waitFor();
    await link.click();
    await page.getByText(`${rows} task${rows === 1 ? '' : 's'}`, { exact: true }).waitFor();
  }
  await page.goto(home);
  const letters = page.getByRole('link', { name: /^dead letters 3 4 in all/ });
  await letters.click();
  await page.locator('.letters > li').nth(2).waitFor();
  assert.equal(await page.locator('.letters > li').count(), 3);
  await ask('POST', '/tasks/cancel', { all: true });
});

test('what one reads further down stays in its place when rows arrive', async () => {
  const echo = (count) => ask('POST', '/task', Array.from({ length: count }, () => ({ kind: 'echo' })));
  const rows = (count) => page.locator(`[role=grid][aria-rowcount="${count + 1}"]`).waitFor();
  await page.goto(`${home}/events-log`);
  await page.getByRole('banner').getByText('live', { exact: true }).waitFor();
  await echo(100);
  await rows(100);
  await page.evaluate(() => scrollTo(0, 1600));
  const drawn = page.locator('[role=row][aria-rowindex="60"]');
  await drawn.focus();
  const read = page.getByRole('row', { name: await drawn.locator('a').textContent() });
  const next = await page.locator('[role=row][aria-rowindex="61"] a').textContent();
  const { y } = await read.boundingBox();
  await echo(30);
  await rows(130);
  assert.equal(await read.getAttribute('aria-rowindex'), '90');
  assert.equal((await read.boundingBox()).y, y);
  await page.keyboard.press('j');
  await page.locator('[role=row]:focus').getByText(next, { exact: true }).waitFor();
});

test('what no worker takes is not said to be done soon', async () => {
  await ask('POST', '/task', { kind: 'echo', needs: { gpu: 'a100' } });
  await page.goto(home);
  const figure = (name) => page.locator('main').getByRole('link', { name }).first().textContent();
  await until(async () => {
    await ask('POST', '/task?wait=20s', { kind: 'echo' });
    const [queued, settles] = [await figure(/^queued/), await figure(/^settled/)];
    return /oldest/.test(queued) && /^settled \/ s[\d.]*[1-9]/.test(settles) && !/done in/.test(queued);
  }, 'the oldest, and no time at which it is done');
});

test('a task whose answer was lost is sent again as the same one', async () => {
  const lose = (path) => page.route(path, async (route) => (await route.fetch(), route.abort()), { times: 1 });
  const rows = async (project) => (await ask('GET', `/history?project=${project}`)).rows.length;
  await page.goto(`${home}/submit?kind=echo`);
  const json = page.getByLabel('The same as JSON');
  const submit = page.getByRole('button', { name: 'Submit', exact: true });
  await json.fill('{"kind": "echo", "args": {"n": 1}, "project": "once"}');
  await lose('**/task');
  await submit.click();
  await page.getByText('The gateway does not answer').first().waitFor();
  await submit.click();
  await page.getByRole('region', { name: 'Sent from here' }).getByText('done').waitFor();
  assert.equal(await rows('once'), 1);
  await json.fill('{"kind": "echo", "args": {"n": 2}, "project": "other"}');
  await lose('**/task');
  await submit.click();
  await page.getByText('The gateway does not answer').first().waitFor();
  await json.fill('{"kind": "echo", "args": {"n": 3}, "project": "other"}'); // Another task now.
  await submit.click();
  await until(async () => (await rows('other')) === 2, 'both');
  await page.goto(`${home}/submit?many=1`);
  await page.getByLabel('Tasks, one a line').fill('{"kind": "echo", "project": "lines"}\n'.repeat(3));
  await lose('**/task');
  await page.getByRole('button', { name: 'Submit 3 tasks' }).click();
  await page.getByRole('alert').getByText('does not answer', { exact: false }).first().waitFor();
  await page.getByRole('button', { name: 'Submit 3 tasks' }).click();
  await page.getByRole('link', { name: '3 tasks accepted' }).waitFor();
  await until(async () => (await rows('lines')) >= 3, 'all ended');
  assert.equal(await rows('lines'), 3);
});

test('an EventSource of the browser hears what ends', async () => {
  await page.goto(home);
  const heard = page.evaluate(
    (count) =>
      new Promise((tell) => {
        const source = new EventSource('/events?topic=source/%23');
        const all = [];
        source.onopen = () => (document.title = 'open');
        source.onmessage = ({ data, lastEventId }) => {
          if (all.push([JSON.parse(data).offset, Number(lastEventId)]) < count) return;
          source.close();
          tell(all);
        };
      }),
    5,
  );
  await page.waitForFunction(() => document.title === 'open');
  await ask('POST', '/task', Array.from({ length: 5 }, (_, n) => ({ kind: 'echo', args: n, project: 'source' })));
  const all = await heard;
  assert.deepEqual(all.map(([offset]) => offset), all.map(([, id]) => id));
});

test('a second of the chart that is chosen leads to what ended then', async () => {
  await page.goto(home);
  const chart = page.getByRole('img', { name: /^Tasks a second/ });
  await until(async () => {
    const { x, y, width } = await chart.boundingBox(); // Where there is a sample by now.
    await page.mouse.click(x + width - 70, y + 40);
    const rows = page.waitForURL(/\/tasks\?since=/, { timeout: 2000 });
    return rows.then(
      () => true,
      () => false,
    );
  }, 'the rows of that second');
  const { searchParams } = new URL(page.url());
  assert.equal(searchParams.get('until') - searchParams.get('since'), 10_000);
});

test('what is held still is not added to, and what came meanwhile is counted', async () => {
  await page.goto(`${home}/events-log`);
  await page.getByRole('banner').getByText('live', { exact: true }).waitFor();
  const rows = (count) => page.locator(`[role=grid][aria-rowcount="${count + 1}"]`).waitFor();
  await ask('POST', '/task?wait=20s', { kind: 'echo' });
  await rows(1);
  await page.getByRole('button', { name: 'Pause' }).click();
  await ask('POST', '/task?wait=20s', { kind: 'echo' });
  await page.getByText('1 new', { exact: true }).waitFor();
  await rows(1);
  await page.getByRole('button', { name: 'Go on' }).click();
  await rows(2);
});

const kFrench = { locale: 'fr-FR', viewport: { width: 1280, height: 900 } };

test('a story says where each attempt lies in the log, and of what it does not have', async () => {
  const failed = await ask('POST', '/task?wait=20s', { kind: 'exec', args: { shell: 'exit 1' } });
  await page.goto(`${home}/tasks/${failed.id}`);
  const attempts = page.getByRole('region', { name: 'Attempts' });
  await attempts.getByText(`offset ${failed.offset}`, { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Edit and submit' }).waitFor();
  const lacking = { kind: 'echo', needs: { gpu: 'a100' }, project: 'large' };
  const { ids } = await ask('POST', '/task', [{ ...lacking, args: 'x'.repeat(3000) }, lacking]);
  await page.goto(`${home}/tasks/${ids[0]}`);
  await page.getByText('3 kB: only those of at most 1 KiB are shown.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Edit and submit' }).count(), 0);
  await page.goto(`${home}/tasks/${ids[1]}`);
  await page.getByRole('button', { name: 'Edit and submit' }).waitFor();
  const context = await browser.newContext(kFrench);
  const french = await context.newPage();
  await french.goto(`${home}/tasks/${ids[0]}`);
  await french.getByText('3 ko : seuls ceux d’au plus 1 Kio sont montrés.').waitFor();
  await french.goto(`${home}/projects`);
  await french.getByRole('columnheader', { name: 'Dernière fin' }).waitFor();
  await context.close();
  await ask('POST', '/tasks/cancel', { project: 'large' });
});

test('when the last task died is said where no letter is left', async () => {
  for (const [locale, text] of [['en-GB', 'The last one died'], ['fr-FR', 'La dernière est morte']]) {
    const context = await browser.newContext({ locale });
    const other = await context.newPage();
    await other.route('**/dead/groups', (route) => route.fulfill({ json: { groups: [] } }));
    await other.goto(`${home}/dead`);
    const last = other.getByRole('link', { name: text });
    await last.locator('time').waitFor();
    await last.click();
    await other.getByRole('row').nth(1).waitFor();
    await context.close();
  }
});

test('a group that is late is a figure of the overview', async () => {
  const late = { group: 'bills', members: 0, partitions: 1, lag_records: 9, lag_seconds: 500, gone_records: 0 };
  await page.route('**/groups', (route) => route.fulfill({ json: { groups: [late] } }));
  await page.goto(home);
  await page.getByRole('main').getByRole('link', { name: /^groups 1 late/ }).waitFor();
  await page.unroute('**/groups');
});

test('what forms send is copied as a line of shell that does the same', async () => {
  const directory = mkdtempSync(`${tmpdir()}/eole-test-`);
  try {
    writeFileSync(`${directory}/tasks.ndjson`, '{"kind": "echo"}\n{"kind": "echo"}\n');
    writeFileSync(`${directory}/photo.jpg`, Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const answered = async (path) => {
      await page.goto(home + path);
      await page.getByRole('button', { name: 'Copy as curl' }).click();
      await page.getByRole('status').getByText('Copied').waitFor();
      const line = await page.evaluate(() => navigator.clipboard.readText());
      return JSON.parse(execFileSync('bash', ['-c', `${line} -s`], { cwd: directory }));
    };
    assert.equal((await answered('/submit?many=1')).ids.length, 2);
    assert.match((await answered('/pictures')).file_name, /^photo-.*\.jpg$/);
    await page.goto(`${home}/workers`);
    await page.getByRole('button', { name: 'Copy how to start one' }).click();
    await page.getByRole('status').getByText('Copied').waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^worker --cluster /);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a search that has found nothing in time goes on, and says so', async () => {
  await ask('POST', '/task?wait=20s', { kind: 'echo', project: 'rare' });
  const [row] = (await ask('GET', '/history?project=rare')).rows;
  const answers = [{ rows: [], next: 70 }, { rows: [], next: 40 }, { rows: [row], next: null }];
  let goesOn;
  const mayGoOn = new Promise((tell) => (goesOn = tell));
  const asked = [];
  await page.route('**/history?*', async (route) => {
    const cursor = new URL(route.request().url()).searchParams.get('cursor');
    asked.push(cursor);
    if (cursor === '40') await mayGoOn;
    await route.fulfill({ json: answers[['70', '40'].indexOf(cursor) + 1] });
  });
  await page.goto(`${home}/tasks?text=rare`);
  await page.getByText('Nothing so far', { exact: false }).waitFor();
  await until(() => asked.includes('40'), 'the page behind the second one');
  assert.equal(await page.getByText('No task matches').count(), 0);
  goesOn();
  await page.getByRole('row', { name: row.id }).waitFor();
  await page.unroute('**/history?*');
});

test('who takes a kind is said where it is submitted', async () => {
  await page.goto(`${home}/submit?kind=echo`);
  await page.getByText(/^Taken by w1/).waitFor();
  await page.goto(`${home}/submit?kind=nobodys`);
  await page.getByText('No connected worker takes nobodys now', { exact: false }).waitFor();
});

test('of what was cancelled it is said how it was stopped', async () => {
  const { ids } = await ask('POST', '/task', { kind: 'exec', args: { shell: 'sleep 600' } });
  await page.goto(`${home}/tasks/${ids[0]}`);
  await page.getByText(/It runs now, on w\d/).waitFor();
  await ask('DELETE', `/task/${ids[0]}`);
  const attempts = (name) => other.getByRole('region', { name });
  let other = page;
  await attempts('Attempts').getByText(/process \d+.* got SIGTERM; gone after/).waitFor();
  const context = await browser.newContext(kFrench);
  other = await context.newPage();
  await other.goto(`${home}/tasks/${ids[0]}`);
  await attempts('Essais').getByText(/processus \d+.* : SIGTERM ; disparu après/).waitFor();
  await context.close();
});

test('of a large result the beginning is shown, and all of it is saved', async () => {
  const text = 'x'.repeat(100_000);
  const { id } = await ask('POST', '/task?wait=20s', { kind: 'echo', args: { text } });
  await page.goto(`${home}/tasks/${id}`);
  const result = page.getByRole('region', { name: 'Result' });
  await result.locator('pre').getByText('and 34464 more', { exact: false }).waitFor();
  assert.ok((await result.locator('pre').textContent()).length < 70_000);
  const download = page.waitForEvent('download');
  await result.getByRole('button', { name: 'Download' }).click();
  assert.deepEqual(JSON.parse(readFileSync(await (await download).path(), 'utf8')), { text });
});

test('of a worker that has left it is said what it said last', async () => {
  await page.goto(`${home}/workers`);
  await page.getByText(/slots busy/).first().waitFor();
  const { lines } = await ask('GET', '/logs?role=worker&limit=200');
  const [last] = lines.filter(({ name }) => name === 'w1');
  await page.route('**/workers', (route) => route.fulfill({ json: { workers: [] } }));
  await page.getByText('No worker is connected', { exact: false }).waitFor();
  const left = page.getByRole('listitem').filter({ hasText: 'w1' }).filter({ hasText: 'left' });
  await left.getByText(last.text, { exact: false }).waitFor();
  await page.unroute('**/workers');
});

// What the tests of the runner run.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Retry, task } from 'eole';

export const add = task('add', ([a, b]) => a + b, {
  about: 'Adds two numbers.',
  args: [
    { name: 'a', type: 'number' },
    { name: 'b', type: 'number', default: 1 },
  ],
});

export const where = task('where', async (_, { id, attempt, kind, project }) => ({
  id,
  attempt,
  kind,
  project,
}));

export const count = task('count', async (most, run) => {
  for (let done = 1; done <= most; done += 1) run.progress(done, most, 'counting');
  console.log('counted');
  console.error('%d', most);
});

export const fail = task('fail', ({ how }) => {
  if (how === 'later') throw new Retry('not yet', 1.5);
  if (how === 'text') throw 'just a text';
  if (how === 'value') return () => 1;
  if (how === 'large') return 'x'.repeat(1 << 20);
  throw new RangeError('beyond');
});

export const wait = task('wait', async (how, run) => {
  if (how !== 'quietly') run.progress(0, 1);
  await sleep(60_000, undefined, { signal: run.signal }).catch(() => run.signal.throwIfAborted());
});

export const stuck = task('stuck', (_, run) => {
  run.log('stuck');
  for (;;);
});

export const upper = task('upper', async ({ artifact, name }, run) => {
  const path = await run.fetch(artifact, name);
  const made = join(run.directory, 'made');
  writeFileSync(made, readFileSync(path, 'utf8').toUpperCase());
  run.put(made, name);
  return name;
});

export const again = add; // The same task under another name.
export const notATask = () => 1;

export const write = task('write', (text, run) => {
  writeFileSync(join(run.directory, 'a.txt'), text);
  run.put(join(run.directory, 'a.txt'));
});

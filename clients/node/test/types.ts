// Compiled and never run: what the types say of a program that uses all of it.
import { Cluster, Gone, Retry, task, type Result } from 'eole';
import * as eole from 'eole';

const cluster = new Cluster(undefined, { patience: 5 });
const ids: string[] = await cluster.submit('echo', [{ n: 1, at: 5n }], {
  retry: { on: ['exit:1'] },
  after: ['a', ['b']],
});
for await (const result of cluster.results({ ids, timeout: 1 }))
  console.log(result.id.length, result.finished.getTime());
const found: Result | null = await cluster.result(ids[0]!);
console.log(found?.artifact?.sha256);
await cluster.submit('exec', eole.signed(await cluster.script('a.sh', ['x'], { env: { A: 'b' } }), 'mine.key'));
const group = await cluster.group('g', { create_from: new Date(), commits: 'each' });
for await (const record of group) console.log(record.partition);
export const double = task('double', async (n: number, run) => {
  run.progress(1, 2);
  if (run.signal.aborted) throw new Retry('later', 5);
  return 2 * n;
});
const four: Promise<number> = double(2);
// @ts-expect-error: no word of a task
await cluster.submit('echo', 1, { prio: 3 });
// @ts-expect-error: nothing that can be sent
await cluster.submit('echo', () => four);
// @ts-expect-error: made by a cluster alone
new eole.Group();
if (found instanceof Gone) cluster.close();

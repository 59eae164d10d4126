// What the tests with a cluster share.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { Cluster } from 'eole';

/** Runs it with a client of its own. */
export async function using(run, path = undefined) {
  const cluster = new Cluster(path);
  try {
    return await run(cluster);
  } finally {
    cluster.close();
  }
}

export function alive(pid) {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'ascii'));
  } catch {
    return false;
  }
}

export async function until(is, what) {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(10)) if (await is()) return;
  throw new Error(`not within 30 s: ${what}`);
}

/** Kills a process, and waits until it is gone. */
export async function killed(pid) {
  process.kill(pid, 'SIGKILL');
  await until(() => !alive(pid), `the end of ${pid}`);
}

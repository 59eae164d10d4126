// Against the cluster of EOLE_CLUSTER.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Cluster, NotFound, Refused } from 'eole';

import { alive, killed, using } from './using.js';

const valuesOf = (results) => results.map((each) => each.value);
const numbers = (count) => Array.from({ length: count }, (_, n) => n);

test('every result comes once, and map has them in the order of the tasks', () =>
  using(async (cluster) => {
    const results = await cluster.map('echo', numbers(5000), { project: 'node' });
    assert.deepEqual(valuesOf(results), numbers(5000));
    assert.ok(
      results.every(({ state, project, isFinal }) => state === 'done' && project === 'node' && isFinal),
    );
    const offsets = [];
    for await (const { offset } of cluster.results({ offset: 0, topic: 'node/echo/*', timeout: 1 }))
      offsets.push(offset);
    assert.deepEqual(
      offsets,
      [...new Set(results.map(({ offset }) => offset))].sort((a, b) => a - b),
    );
  }));

test('failures say why, and a failed one can be tried again', () =>
  using(async (cluster) => {
    const [result] = await cluster.wait(await cluster.submit('exec', { shell: 'exit 3' }));
    assert.deepEqual([result.state, /exit code 3/.test(result.error)], ['failed', true]);
    const words = { retry: { attempts: 2, on: ['exit:3'], backoff: 0.01 } };
    const [dead] = await cluster.wait(await cluster.submit('exec', [{ shell: 'exit 3' }], words));
    assert.deepEqual([dead.state, dead.body.reasons.length], ['dead', 2]);
  }));

test('a script goes along with its task, and runs wherever that runs', () =>
  using(async (cluster) => {
    const place = mkdtempSync(join(tmpdir(), 'eole-test-'));
    try {
      const path = join(place, 'a.sh');
      writeFileSync(path, `#!/bin/sh\necho $EXTRA "$1"\n#${'x'.repeat(3 << 20)}\n`);
      const env = { EXTRA: 'so' };
      const args = await Promise.all(['a', 'b c'].map((word) => cluster.script(path, [word], { env })));
      const results = await cluster.map('exec', args);
      assert.deepEqual(
        results.map(({ value }) => value.stdout),
        ['so a\n', 'so b c\n'],
      );
      await assert.rejects(cluster.script(path, [], { cwd: '/' }), /cwd is its own/);
    } finally {
      rmSync(place, { recursive: true });
    }
  }));

test('a key is accepted once, and other tasks under it are refused', () =>
  using(async (cluster) => {
    const words = { idempotency_key: 'monday' };
    const first = await cluster.submit('echo', [1], words);
    assert.deepEqual(await cluster.submit('echo', [1], words), first);
    await assert.rejects(
      cluster.submit('echo', [2], words),
      (error) => error instanceof Refused && /monday/.test(error.message),
    );
  }));

test('tasks wait for others, and for their time', () =>
  using(async (cluster) => {
    const first = await cluster.submit('sleep', [{ seconds: 0.2 }, { seconds: 0.1 }], { delay: '50ms' });
    const [last] = await cluster.wait(await cluster.submit('echo', 'after', { after: first }));
    const before = await Promise.all(first.map((id) => cluster.result(id)));
    assert.ok(before.every(({ offset }) => offset < last.offset));
  }));

test('two waits go on beside each other, and a wait for what another submitted looks it up', () =>
  using((cluster) =>
    using(async (other) => {
      const ids = await cluster.submit('echo', numbers(100));
      const [mine, again, others] = await Promise.all([
        cluster.wait(ids.slice(50)),
        cluster.wait(ids.slice(0, 50)),
        other.wait(ids),
      ]);
      assert.deepEqual(valuesOf([...again, ...mine]), numbers(100));
      assert.deepEqual(valuesOf(others), numbers(100));
      assert.deepEqual(valuesOf(await cluster.wait(ids)), numbers(100)); // Handed out before.
      await assert.rejects(cluster.wait(['003rj0-42']), NotFound);
    }),
  ));

test('what is not settled can be cancelled, and nothing is waited for longer than said', () =>
  using(async (cluster) => {
    const [id] = await cluster.submit('sleep', { seconds: 60 });
    for await (const _ of cluster.results({ ids: [id], timeout: 0.05 })) assert.fail();
    assert.equal(await cluster.result(id), null);
    assert.deepEqual(await cluster.cancel([id, '003rj0-42']), { [id]: 'cancelling', '003rj0-42': 'unknown' });
    assert.equal((await cluster.wait([id]))[0].state, 'cancelled');
    assert.equal((await cluster.status(id)).state, 'cancelled');
    let told; // The ventilator hears of an end after those who listen to the sink.
    do told = await cluster.cancel([id]);
    while (told[id] === 'cancelling');
    assert.deepEqual(told, { [id]: 'settled' });
  }));

test('a submit across a restart of the ventilator is accepted, and once', () =>
  using(async (cluster) => {
    await cluster.submit('echo', 1);
    const { ventilator } = await cluster.status();
    const submits = numbers(20).map((n) =>
      cluster.submit(
        'echo',
        numbers(1000).map((k) => n * 1000 + k),
        { project: 'across' },
      ),
    );
    process.kill(ventilator.pid, 'SIGKILL');
    const ids = (await Promise.all(submits)).flat();
    assert.equal(new Set(ids).size, 20_000);
    assert.deepEqual(valuesOf(await cluster.wait(ids)), numbers(20_000));
    assert.notEqual((await cluster.status()).ventilator.pid, ventilator.pid);
    const counts = await cluster.project('across');
    assert.equal(counts.done, 20_000);
  }));

test('a reader across a restart of the sink has neither a gap nor anything twice', () =>
  using(async (cluster) => {
    const { sink } = await cluster.status();
    const seen = [];
    const reading = (async () => {
      for await (const { offset } of cluster.results({ offset: sink.head }))
        if (seen.push(offset) === 6000) return;
    })();
    await cluster.map('echo', numbers(2000));
    const ids = await cluster.submit('echo', numbers(2000));
    await killed(sink.pid);
    ids.push(...(await cluster.submit('echo', numbers(2000))));
    assert.equal((await cluster.wait(ids)).length, 4000);
    await reading;
    assert.deepEqual(
      seen,
      numbers(6000).map((n) => sink.head + n),
    );
    assert.equal(alive(sink.pid), false);
  }));

test('a closed cluster says so to whoever waits', async () => {
  const cluster = new Cluster();
  const [id] = await cluster.submit('sleep', { seconds: 60 });
  const waiting = assert.rejects(cluster.wait([id]), /closed/);
  cluster.close();
  await waiting;
  await using((other) => other.cancel([id]));
  await assert.rejects(cluster.submit('echo', 1), /closed/);
  await assert.rejects(cluster.status(), /closed/);
});

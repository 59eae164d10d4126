// The tasks of tasks.mjs, at a worker of a cluster.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { using } from './using.js';

test('they run at a worker, one by one and many', () =>
  using(async (cluster) => {
    const results = await cluster.map(
      'add',
      Array.from({ length: 2000 }, (_, n) => [n, n]),
    );
    assert.deepEqual(
      results.map(({ value }) => value),
      Array.from({ length: 2000 }, (_, n) => 2 * n),
    );
    const [where] = await cluster.map('where', [null], { project: 'shop' });
    assert.deepEqual(where.value, { id: where.id, attempt: 1, kind: 'where', project: 'shop' });
  }));

test('a class of errors is tried again, and all have failed', () =>
  using(async (cluster) => {
    const words = { retry: { attempts: 2, on: ['RangeError'], backoff: 0.01 } };
    const [dead, failed] = await cluster.wait([
      ...(await cluster.submit('fail', { how: 'class' }, words)),
      ...(await cluster.submit('fail', { how: 'text' })),
    ]);
    assert.deepEqual(
      [dead.state, dead.attempt, failed.state, failed.value.error_class],
      ['dead', 2, 'failed', 'Error'],
    );
  }));

test('one that is cancelled hears it, and one that does not listen is ended; then others run there', () =>
  using(async (cluster) => {
    const ids = [...(await cluster.submit('wait')), ...(await cluster.submit('stuck'))];
    const isRunning = async (id) => (await cluster.status(id)).state === 'running';
    while (!(await Promise.all(ids.map(isRunning))).every(Boolean));
    await cluster.cancel(ids);
    const results = await cluster.wait(ids);
    assert.deepEqual(
      results.map(({ state }) => state),
      ['cancelled', 'cancelled'],
    );
    assert.equal((await cluster.map('add', [[1, 2]]))[0].value, 3);
  }));

test('a file goes in, and another comes out', () =>
  using(async (cluster) => {
    const [first] = await cluster.map('write', ['hello']);
    const { sha256 } = first.artifact;
    assert.equal(sha256, createHash('sha256').update('hello').digest('hex'));
    const [made] = await cluster.map('upper', [{ artifact: sha256, name: 'b.txt' }]);
    const { name, bytes } = made.artifact;
    assert.deepEqual(
      [name, bytes, made.artifact.sha256],
      ['b.txt', 5, createHash('sha256').update('HELLO').digest('hex')],
    );
  }));

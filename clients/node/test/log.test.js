// A reader of the log, and sinks that say what a test wants.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BadClusterFile, Cluster, Damaged, Gone, LogReplaced, NoAnswer } from 'eole';
import { chmodSync, writeFileSync } from 'node:fs';

import { encode, head } from '../src/values.js';
import { FakeSink, batchOf } from './fake_sink.js';
import { golden } from './golden.js';
import { using } from './using.js';

const offsets = (found) => found.map(({ offset }) => offset);

async function take(results, count) {
  const found = [];
  while (found.length < count) found.push((await results.next()).value);
  return found;
}

test('what was not published to it is read, and what comes twice is dropped', () =>
  FakeSink.serve((sink) =>
    using(async (cluster) => {
      const results = cluster.results({ timeout: 3 }); // Shorter than it waits without asking.
      const first = take(results, 2);
      while (!sink.reads.length) await sink.tellHead(); // It reads the log where it ends, then waits.
      sink.head = 2;
      const told = setInterval(() => sink.tell(0, 2), 20); // Also again, once it was seen.
      assert.deepEqual(offsets(await first), [0, 1]);
      clearInterval(told);
      sink.head = 9; // Offsets 2 to 6 are told to nobody.
      await sink.tell(0, 2);
      await sink.tell(7, 2);
      assert.deepEqual(offsets(await take(results, 7)), [2, 3, 4, 5, 6, 7, 8]);
      sink.head = 11; // And these by the head alone.
      await sink.tellHead();
      assert.deepEqual(offsets(await take(results, 2)), [9, 10]);
      await results.return();
    }, sink.path),
  ));

test('a replaced log is told once, and then read from its start', () =>
  FakeSink.serve((sink) =>
    using(async (cluster) => {
      sink.head = 5;
      const results = cluster.results({ offset: 3, timeout: 20 });
      assert.deepEqual(offsets(await take(results, 2)), [3, 4]);
      const waiting = results.next();
      [sink.log, sink.head] = [2, 1];
      const told = setInterval(() => sink.tellHead(), 20);
      await assert.rejects(
        waiting,
        (error) => error instanceof LogReplaced && /0{15}1 was replaced by 0{15}2/.test(error.message),
      );
      clearInterval(told);
      assert.deepEqual(offsets(await take(cluster.results({ offset: 0 }), 1)), [0]);
    }, sink.path),
  ));

test('what is not kept any more says from where on it is', () =>
  FakeSink.serve((sink) =>
    using(async (cluster) => {
      const { answer } = sink;
      sink.answer = (fields) =>
        fields[1] === 'read'
          ? [head('gone', fields[2], 1, fields[4], 70, 90), '']
          : answer.call(sink, fields);
      const gone = (error) =>
        error instanceof Gone && error.keptFrom === 70 && /65 results/.test(error.message);
      await assert.rejects(cluster.results({ offset: 5 }).next(), gone);
    }, sink.path),
  ));

test('the golden messages are read, also with fields that only a later release knows', async () => {
  for (const later of [[], ['', 7, 'later', 2n ** 63n]]) {
    await FakeSink.serve((sink) =>
      using(async (cluster) => {
        [sink.log, sink.head] = [99, 1010];
        sink.records = (request) => {
          const raw = Buffer.concat([golden('records'), ...later.map((each) => encode(each))]);
          raw[0] += later.length;
          raw[10] = request; // Behind the array, the version and the text "records".
          return raw;
        };
        sink.batch = (offset) => {
          const batch = golden('batch.record');
          batch.writeBigUInt64LE(BigInt(offset), 0);
          return batch;
        };
        const results = cluster.results({ offset: 1000 });
        const [{ offset, id, kind, project, error }] = await take(results, 1);
        assert.deepEqual([offset, id, kind, project, error], [1000, '003rj0-42', 'echo', 'photos', 'why']);
        await results.return();
      }, sink.path),
    );
  }
});

test('a malformed log is said, and ends nothing', () =>
  FakeSink.serve((sink) =>
    using(async (cluster) => {
      sink.head = 5;
      sink.batch = () => golden('batch.record').subarray(0, 50);
      await assert.rejects(cluster.results({ offset: 0 }).next(), Damaged);
      assert.equal((await cluster.results({ offset: 5, timeout: 0.1 }).next()).done, true);
    }, sink.path),
  ));

test('what is lost on its way is said again under its number, and happens once', () =>
  FakeSink.serve((sink) =>
    using(async (cluster) => {
      const [asked, submitted] = [[], []];
      const { answer } = sink;
      sink.answer = (fields) => (asked.push(fields[2]) % 2 ? undefined : answer.call(sink, fields));
      sink.accept = (fields) => {
        if (submitted.push(fields.slice(2, 6)) === 1) return undefined;
        const acceptance = Buffer.alloc(20);
        acceptance.writeBigUInt64LE(BigInt(fields[3]), 0);
        acceptance.writeBigUInt64LE(42n, 8);
        acceptance.writeUInt32LE(fields[6], 16);
        return [head('accepted', 123456), Buffer.concat([acceptance, acceptance])];
      };
      assert.deepEqual(await cluster.submit('echo', [1, 2]), ['003rj0-42', '003rj0-43']);
      assert.deepEqual(asked, [1, 1, 1, 1]); // The status, and on a socket of its own the first read.
      assert.deepEqual(submitted, [submitted[0], submitted[0]]);
    }, sink.path),
  ));

test('a reader waits for a sink that is away, and does not go round', (t) =>
  FakeSink.serve(async (sink) => {
    sink.answer = () => undefined;
    const cluster = new Cluster(sink.path, { patience: 8 });
    const timers = t.mock.method(globalThis, 'setTimeout');
    await assert.rejects(cluster.results({ offset: 0 }).next(), NoAnswer);
    assert.ok(timers.mock.callCount() < 100);
    cluster.close();
  }));

test('what came before a damaged batch is handed out', () =>
  FakeSink.serve((sink) =>
    using(async (cluster) => {
      sink.head = 2;
      const damaged = batchOf(1, 1);
      damaged.writeUInt16LE(60_000, 28); // The length of the worker's name.
      const pieces = [batchOf(0, 1), damaged].flatMap((batch) => {
        const size = Buffer.alloc(4);
        size.writeUInt32LE(batch.length);
        return [size, batch];
      });
      const { answer } = sink;
      sink.answer = (fields) =>
        fields[1] === 'read' ? [sink.records(fields[2]), Buffer.concat(pieces)] : answer.call(sink, fields);
      const results = cluster.results({ offset: 0 });
      assert.deepEqual(offsets(await take(results, 1)), [0]);
      await assert.rejects(results.next(), Damaged);
    }, sink.path),
  ));

test('a wall clock that is set ahead ends no submit', () =>
  FakeSink.serve((sink) =>
    using(async (cluster) => {
      const { now } = Date;
      let submitted = 0;
      sink.accept = (fields) => {
        Date.now = () => now() + 3_600_000;
        if ((submitted += 1) === 1) return undefined; // It is said again.
        const acceptance = Buffer.alloc(20);
        acceptance.writeBigUInt64LE(BigInt(fields[3]), 0);
        acceptance.writeBigUInt64LE(42n, 8);
        acceptance.writeUInt32LE(fields[6], 16);
        return [head('accepted', 123456), acceptance];
      };
      try {
        assert.deepEqual(await cluster.submit('echo', [1]), ['003rj0-42']);
      } finally {
        Date.now = now;
      }
    }, sink.path),
  ));

test('silence is an error of its own', () =>
  FakeSink.serve(async (sink) => {
    const cluster = new Cluster(sink.path, { patience: 0.2 });
    const noAnswer = (error) => error instanceof NoAnswer && /ventilator within 0.2 s/.test(error.message);
    await assert.rejects(cluster.submit('echo', 1), noAnswer);
    cluster.close();
  }));

test('a bad cluster file says what is wrong with it', () =>
  FakeSink.serve(async ({ path }) => {
    const good =
      "ventilator = 'ipc://a'\nqueries = 'ipc://b' # there\nnotifications = \"ipc://c\"\n\nartifacts = 'ipc://d'\n";
    const files = {
      'ventilator = 5\n': /line 1 is not/,
      "a = 'b'\n": /names no ventilator/,
      [good.replace('ipc', 'tcp')]: /TCP needs keys/,
      [`${good}server_key = 'x'\n`]: /ipc takes no keys/,
      [good.replace('ipc', 'udb')]: /ventilator = udb:/,
    };
    for (const [text, why] of Object.entries(files)) {
      writeFileSync(path, text);
      assert.throws(
        () => new Cluster(path),
        (error) => error instanceof BadClusterFile && why.test(error.message),
        `${why}`,
      );
    }
    writeFileSync(path, good);
    new Cluster(path).close();
    chmodSync(path, 0o640);
    assert.throws(() => new Cluster(path), /chmod it to 0600/);
    assert.throws(() => new Cluster('/nowhere'), /not there/);
  }));

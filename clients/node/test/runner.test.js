// The runner of tasks in JavaScript, over the socket that a worker would have: no cluster.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Reader, frame } from '../src/frames.js';
import { decode, encode } from '../src/values.js';
import { golden } from './golden.js';
import { add } from './tasks.mjs';

const kNames = 'hello run cancel output done failed progress kind fetch fetched ping pong'.split(' ');
const kRunner = new URL('../bin/eole-runner-node.mjs', import.meta.url).pathname;
const kTasks = new URL('tasks.mjs', import.meta.url).pathname;

/** Stands in for a worker. */
class Worker {
  directory = mkdtempSync(join(tmpdir(), 'eole-test-'));
  said = [];
  #number = 0;

  constructor(...modules) {
    this.process = spawn(kRunner, modules, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, EOLE_RUNNER_FD: '3' },
    });
    this.socket = this.process.stdio[3];
    this.printed = '';
    this.process.stderr.on('data', (piece) => (this.printed += piece));
    this.ended = Promise.all([once(this.process, 'exit'), once(this.process.stderr, 'close')]).then(
      ([how]) => how,
    );
    this.frames = this.#frames();
  }

  static async with(run) {
    const worker = new Worker(kTasks);
    try {
      const kinds = [];
      const [name, version, ahead, count] = await worker.read();
      while (kinds.length < count) kinds.push(await worker.read());
      await run(worker, [name, version, ahead], kinds);
      worker.socket.end();
      assert.deepEqual([(await worker.ended)[0], worker.printed], [0, '']);
    } finally {
      worker.process.kill('SIGKILL');
      rmSync(worker.directory, { recursive: true });
    }
  }

  async *#frames() {
    let rest = Buffer.alloc(0);
    for await (const piece of this.socket) {
      rest = Buffer.concat([rest, piece]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32LE(1)) {
        const end = 5 + rest.readUInt32LE(1);
        yield [kNames[rest[0] - 1], ...decode(rest.subarray(5, end))];
        rest = rest.subarray(end);
      }
    }
    throw new Error(`the runner is gone: ${this.printed}`);
  }

  async read() {
    return (await this.frames.next()).value;
  }

  /** The frame of a run, which has the next number. */
  run(kind, args) {
    this.#number += 1;
    const directory = join(this.directory, String(this.#number));
    return frame('run', this.#number, `abcdef-${this.#number}`, 2, kind, encode(args), directory, 'shop', '');
  }

  write(...frames) {
    this.socket.write(Buffer.concat(frames));
  }

  /** How the next run ended, with its value decoded. */
  async end() {
    return (await this.read()).map((each) => (ArrayBuffer.isView(each) && each.length ? decode(each) : each));
  }
}

test('the golden frames are read, and come out the same', () => {
  for (const name of kNames) {
    const raw = golden(`${name}.frame`);
    assert.deepEqual(frame(name, ...decode(raw.subarray(5))), raw, name);
    const found = [...raw].flatMap((_, at) => [...new Reader().add(raw.subarray(0, at))]);
    assert.deepEqual(found, [], `a part of ${name}`);
  }
  const reader = new Reader();
  const all = Buffer.concat(
    ['hello', 'run', 'cancel', 'fetched', 'ping'].map((name) => golden(`${name}.frame`)),
  );
  const found = [...all]
    .flatMap((byte) => [...reader.add(Buffer.from([byte]))])
    .map(([name, fields]) => [name, fields.length]);
  assert.deepEqual(found, [
    ['run', 8],
    ['cancel', 2],
    ['fetched', 3],
    ['ping', 1],
  ]);
  assert.throws(() => [...new Reader().add(Buffer.from('0200004001', 'hex'))], /limit 4194304/);
  assert.throws(
    () => [...new Reader().add(Buffer.from('02010000009101'.slice(0, 12), 'hex'))],
    /has not its 8 fields/,
  );
});

test('it tells its kinds with their arguments', () =>
  Worker.with(async (_, hello, kinds) => {
    assert.deepEqual(hello, ['hello', 2, 256]);
    assert.deepEqual(kinds.map(([, name]) => name).sort(), [
      'add',
      'count',
      'fail',
      'stuck',
      'upper',
      'wait',
      'where',
      'write',
    ]);
    const [told] = kinds.filter(([, name]) => name === 'add');
    assert.deepEqual(told.slice(2), ['Adds two numbers.', 2, 'a', 'number', 1, '', 'b', 'number', 0, '1']);
  }));

test('a task can be called as any function', () => assert.equal(add([1, 2]), 3));

test('many runs are answered in their order, and pings between them', () =>
  Worker.with(async (worker) => {
    worker.write(
      ...Array.from({ length: 256 }, (_, n) => worker.run(n % 2 ? 'add' : 'where', [n, 1])),
      frame('ping', 7),
    );
    const ends = [];
    while (ends.length < 257) ends.push(await worker.end());
    assert.deepEqual(
      ends.filter(([name]) => name === 'pong'),
      [['pong', 7]],
    );
    const done = ends.filter(([name]) => name === 'done');
    assert.deepEqual(
      done.map(([, number]) => number),
      Array.from({ length: 256 }, (_, n) => n + 1),
    );
    assert.deepEqual(done[1], ['done', 2, 2, 0]);
    assert.deepEqual(done[2][2], { id: 'abcdef-3', attempt: 2, kind: 'where', project: 'shop' });
  }));

test('a failure has its class, its text and where it was thrown', () =>
  Worker.with(async (worker) => {
    worker.write(
      ...['class', 'later', 'text', 'value', 'large'].map((how) => worker.run('fail', { how })),
      worker.run('nothing', 1),
    );
    const ends = [];
    for (let n = 0; n < 6; n += 1) ends.push(await worker.end());
    assert.deepEqual(
      ends.map(([name, number]) => [name, number]),
      [1, 2, 3, 4, 5, 6].map((n) => ['failed', n]),
    );
    const [thrown, later, text, value, large, nothing] = ends.map(([, , error, said, cause, after]) => ({
      error,
      said,
      cause,
      after,
    }));
    assert.deepEqual([thrown.error, thrown.cause, thrown.after], ['RangeError: beyond', 'RangeError', 0]);
    assert.deepEqual([thrown.said.error_class, thrown.said.text], ['RangeError', 'beyond']);
    assert.match(thrown.said.traceback, /tasks\.mjs:\d+/);
    assert.deepEqual([later.cause, later.after], ['Retry', 1500]);
    assert.match(text.error, /just a text/);
    assert.match(value.error, /a function cannot be sent/);
    assert.match(large.error, /1048581 bytes, limit 1044480/);
    assert.match(nothing.error, /kind nothing: is not offered/);
  }));

test('what it prints is its output, and progress is told', () =>
  Worker.with(async (worker) => {
    worker.write(worker.run('count', 1000));
    const told = [];
    do told.push(await worker.read());
    while (told.at(-1)[0] !== 'done');
    const of = (name) => told.filter(([each]) => each === name);
    assert.deepEqual(
      of('output').map(([, , stream, raw]) => [stream, Buffer.from(raw).toString()]),
      [
        [1, 'counted\n'],
        [2, '1000\n'],
      ],
    );
    assert.deepEqual(of('progress').at(-1).slice(1), [1, 1000, 1000, 'counting']);
    assert.ok(of('progress').length < 500);
  }));

test('a cancelled run hears it, and one behind it does not begin', () =>
  Worker.with(async (worker) => {
    worker.write(
      worker.run('wait', 1),
      worker.run('wait', 1),
      worker.run('add', [1, 1]),
      frame('cancel', 2, 3000),
    );
    assert.equal((await worker.read())[0], 'progress');
    worker.write(frame('cancel', 1, 3000));
    const ends = [await worker.end(), await worker.end()];
    const texts = ['Cancelled: the task was told to end', 'Cancelled: cancelled before it began'];
    assert.deepEqual(
      ends.map(([, , text]) => text),
      texts,
    );
    worker.write(frame('cancel', 1, 3000)); // It has ended.
    assert.deepEqual(await worker.end(), ['done', 3, 2, 0]);
  }));

test('files come into the directory, and go as artifacts', () =>
  Worker.with(async (worker) => {
    const sha256 = 'ab'.repeat(32);
    worker.write(worker.run('upper', { artifact: sha256, name: 'a.txt' }));
    assert.deepEqual(await worker.read(), ['fetch', 1, sha256, 'in-a.txt']);
    writeFileSync(join(worker.directory, '1/in-a.txt'), 'hello');
    worker.write(frame('fetched', 1, 'in-a.txt', ''));
    assert.deepEqual(await worker.end(), ['done', 1, 'a.txt', 1, 'a.txt']);
    assert.equal(readFileSync(join(worker.directory, '1/a.txt'), 'utf8'), 'HELLO');
    assert.deepEqual(readdirSync(join(worker.directory, '1')).sort(), ['a.txt', 'in-a.txt', 'made']);
    worker.write(worker.run('upper', { artifact: sha256, name: 'a.txt' }));
    await worker.read();
    worker.write(frame('fetched', 2, 'in-a.txt', 'no such artifact'));
    assert.match((await worker.end())[2], /NotFound: file in-a.txt: no such artifact/);
  }));

test('one that does not listen ends with SIGTERM', () =>
  Worker.with(async (worker) => {
    const stuck = new Worker(kTasks);
    stuck.write(stuck.run('stuck', 1));
    while ((await stuck.read())[0] !== 'output');
    stuck.process.kill('SIGTERM');
    assert.equal((await stuck.ended)[1], 'SIGTERM');
    rmSync(stuck.directory, { recursive: true });
    const adds = [1, 2, 3].map((n) => worker.run('add', [n, n]));
    worker.write(...adds, worker.run('wait', 'quietly'));
    // What has ended is not held back …
    for (const n of [1, 2, 3]) assert.deepEqual(await worker.end(), ['done', n, 2 * n, 0]);
    // … and what is under way ends with its socket.
  }));

test('what cannot start says why', async () => {
  for (const [modules, why] of [
    [[], /MODULE/],
    [['/nowhere.mjs'], /nowhere/],
    [[new URL('golden.js', import.meta.url).pathname], /no tasks/],
  ]) {
    const worker = new Worker(...modules);
    assert.equal((await worker.ended)[0], 2);
    assert.match(worker.printed, why);
    rmSync(worker.directory, { recursive: true });
  }
  const alone = spawn(kRunner, [kTasks], { stdio: ['ignore', 'ignore', 'pipe', 'ignore'] });
  let printed = '';
  alone.stderr.on('data', (piece) => (printed += piece));
  assert.deepEqual((await once(alone, 'close'))[0], 2);
  assert.match(printed, /no socket at descriptor 3: .* must hand it on/);
});

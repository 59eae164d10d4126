// Runs the tasks of modules for a worker (docs/runners.md).
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { Cancelled, EoleError, NotFound } from './errors.js';
import { Reader, frame, kVersion } from './frames.js';
import { tasksOf } from './task.js';
import { checkPlain, decode, encode } from './values.js';
import { WorkerRun, failureOf } from './worker_run.js';

const kAhead = 256;
const kHeldBytes = 1 << 16; // What is said is sent beyond so much …
const kHeldMs = 1; // … or after so long, when a run follows.
const kValueBytesMax = (1 << 20) - 4096; // With what else the result has.

/** Answers a worker's frames until its socket closes. */
export class Runner {
  #socket;
  #tasks;
  #reader = new Reader();
  #waiting = []; // Runs that have not begun, in their order.
  #cancelled = new Set(); // Of these.
  #fetches = new Map();
  #run; // The one that is under way.
  #isServing = false;
  #held = [];
  #heldBytes = 0;
  #sentAt = 0;

  constructor(socket, tasks) {
    [this.#socket, this.#tasks] = [socket, tasks];
    this.#redirect(1, process.stdout);
    this.#redirect(2, process.stderr);
  }

  start() {
    this.#hold('hello', kVersion, kAhead, this.#tasks.size);
    for (const { fields } of this.#tasks.values()) this.#hold('kind', ...fields);
    this.#flush();
    this.#socket.on('data', (piece) => this.#take(piece));
    // The worker is gone, or wants this gone: whatever a task is at.
    for (const event of ['end', 'close', 'error']) this.#socket.on(event, () => process.exit(0));
  }

  #take(piece) {
    for (const [name, fields] of this.#reader.add(piece)) {
      if (name === 'run') this.#waiting.push(fields);
      else if (name === 'ping') this.#say('pong', fields[0]);
      else if (name === 'fetched') this.#fetches.get(`${fields[0]}/${fields[1]}`)?.(fields[2]);
      else if (this.#run?.number === fields[0]) this.#run.cancel();
      else if (this.#waiting.some(([number]) => number === fields[0])) this.#cancelled.add(fields[0]);
    }
    if (!this.#isServing) this.#serve();
  }

  async #serve() {
    this.#isServing = true;
    while (this.#waiting.length) {
      const fields = this.#waiting.shift();
      this.#hold(...(await this.#endOf(fields)));
      if (this.#heldBytes > kHeldBytes || Date.now() > this.#sentAt + kHeldMs) this.#flush();
    }
    this.#flush();
    this.#isServing = false;
  }

  /** The frame that ends a run. Whatever goes wrong in it is its failure. */
  async #endOf(fields) {
    const [number, , , kind, args] = fields;
    try {
      if (this.#cancelled.delete(number)) throw new Cancelled('cancelled before it began');
      const task = this.#tasks.get(kind);
      if (!task) throw new NotFound(`kind ${kind}: is not offered here`);
      const run = (this.#run = new WorkerRun(fields, (...said) => this.#say(...said), this.#fetch));
      let value = task.run(args.length ? decode(args) : null, run);
      if (typeof value?.then === 'function') {
        this.#flush(); // It may take long.
        value = await value;
      }
      checkPlain(value, 'the value');
      const packed = encode(value ?? null);
      if (packed.length > kValueBytesMax)
        throw new EoleError(`a value of ${packed.length} bytes, limit ${kValueBytesMax}`);
      return ['done', number, packed, run.files.length, ...run.files];
    } catch (thrown) {
      return ['failed', number, ...failureOf(thrown)];
    } finally {
      this.#run = undefined;
    }
  }

  #fetch = async (number, sha256, name) => {
    const key = `${number}/${name}`;
    const error = await new Promise((told) => {
      this.#fetches.set(key, told);
      this.#say('fetch', number, sha256, name);
    });
    this.#fetches.delete(key);
    if (error) throw new NotFound(`file ${name}: ${error}`);
  };

  #say(...said) {
    this.#hold(...said);
    this.#flush();
  }

  #hold(...said) {
    const raw = frame(...said);
    this.#held.push(raw);
    this.#heldBytes += raw.length;
  }

  #flush() {
    if (this.#held.length) this.#socket.write(Buffer.concat(this.#held));
    [this.#held, this.#heldBytes, this.#sentAt] = [[], 0, Date.now()];
  }

  /** What is printed in a run is its output; anything else goes where it went. */
  #redirect(number, stream) {
    const outside = stream.write.bind(stream);
    stream.write = (chunk, encoding, then) => {
      if (!this.#run) return outside(chunk, encoding, then);
      const isText = typeof chunk === 'string';
      this.#run.output(
        number,
        isText ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8') : chunk,
      );
      const done = typeof encoding === 'function' ? encoding : then;
      if (done) queueMicrotask(done);
      return true;
    };
  }
}

/** eole-runner-node MODULE…: exits with 2 if it cannot start. */
export async function main(paths) {
  const fail = (text) => {
    console.error(`eole-runner-node: ${text}`);
    process.exit(2);
  };
  if (!paths.length || paths[0].startsWith('-')) {
    fail(
      "MODULE…: runs the tasks of these modules for a worker: worker --runner 'eole-runner-node ./tasks.mjs'",
    );
  }
  const fd = Number(process.env.EOLE_RUNNER_FD ?? 3);
  try {
    if (!fstatSync(fd).isSocket()) throw new Error();
  } catch {
    fail(
      `no socket at descriptor ${fd}: a worker starts this, by worker --runner; ` +
        'what stands between, as npx or sudo, must hand it on',
    );
  }
  process.on('SIGINT', () => {}); // Ctrl-C is the worker's.
  try {
    const modules = await Promise.all(paths.map((path) => import(pathToFileURL(resolve(path)))));
    new Runner(new Socket({ fd }), tasksOf(modules)).start();
  } catch (error) {
    fail(error instanceof EoleError ? error.message : error.stack);
  }
}

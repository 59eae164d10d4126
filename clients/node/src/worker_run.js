// A run that a worker asked for, from the side of its task.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { Cancelled, EoleError } from './errors.js';
import { Run } from './task.js';
import { encode } from './values.js';

const kProgressMs = 50;
const kOutputBytes = 1 << 16; // In one frame.
const kErrorLettersMax = 4096;
const kTraceLettersMax = 16 << 10;

export class WorkerRun extends Run {
  files = []; // Of the result.
  #say;
  #fetch;
  #directory;
  #aborter = new AbortController();
  #toldAt = 0;

  /** say(name, ...fields): a frame that leaves at once; fetch(sha256, name): once the file is there. */
  constructor([number, id, attempt, kind, , directory, project, traceparent], say, fetch) {
    super();
    delete this.directory; // It is made when it is asked for.
    Object.assign(this, { number, id, attempt, kind, project, traceparent, signal: this.#aborter.signal });
    [this.#directory, this.#say, this.#fetch] = [directory, say, fetch];
  }

  /** Its own, removed afterwards. */
  get directory() {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    return this.#directory;
  }
  set directory(_) {} // Of the base.

  progress(done, total = 0, text = '') {
    const now = Date.now();
    if (now < this.#toldAt + kProgressMs && done !== total) return;
    this.#toldAt = now;
    const count = (number) => Math.max(0, Math.trunc(number) || 0);
    this.#say('progress', this.number, count(done), count(total), String(text));
  }

  log(text) {
    this.output(2, Buffer.from(`${text}\n`));
  }

  output(stream, raw) {
    for (let at = 0; at < raw.length; at += kOutputBytes)
      this.#say('output', this.number, stream, raw.subarray(at, at + kOutputBytes));
  }

  /** The path of an artifact as a file in the directory. */
  async fetch(sha256, name = sha256) {
    let free = `in-${basename(name)}`;
    while (existsSync(join(this.directory, free))) free = `in-${free}`;
    await this.#fetch(this.number, sha256, free);
    return join(this.directory, free);
  }

  /** The file becomes an artifact of the result. */
  put(path, name = basename(path)) {
    if (basename(name) !== name || this.files.includes(name))
      throw new EoleError(`put ${name}: a result has one file of a name, which is without slashes`);
    const there = join(this.directory, name);
    if (resolve(path) !== resolve(there)) copyFileSync(path, there);
    this.files.push(name);
  }

  cancel() {
    this.#aborter.abort(new Cancelled('the task was told to end'));
  }
}

// Half a letter of UTF-16, which text may hold or be cut in, has no bytes of UTF-8.
const wellFormed = (text, lettersMax) => Buffer.from(text.slice(0, lettersMax)).toString();

/** The fields of a frame `failed`, behind the number, for what was thrown. */
export function failureOf(thrown) {
  const isError =
    thrown instanceof Error || (typeof thrown?.message === 'string' && typeof thrown?.name === 'string');
  const name = isError ? thrown.name : 'Error';
  const text = wellFormed(isError ? thrown.message : String(thrown), kErrorLettersMax);
  const traceback = wellFormed(String(thrown?.stack ?? ''), kTraceLettersMax);
  const after = name === 'Retry' && thrown.after > 0 ? Math.ceil(thrown.after * 1000) : 0;
  const isClass = name.length <= 64 && /^(?:[A-Za-z][\w.]*\.)?[A-Z]\w*$/.test(name);
  const value = encode({ error_class: name, text, traceback });
  return [`${name}: ${text}`, value, isClass ? name : '', after];
}

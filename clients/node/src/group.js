// Groups of readers of the log (docs/log.md): each record goes to one member, and what was committed does not come again.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import * as zmq from 'zeromq';

import { kTurnedAway, pump, sendNow } from './connection.js';
import { BadTask, Closed, Gone, NoAnswer, Refused } from './errors.js';
import { Member } from './member.js';
import { openBatch } from './records.js';
import { topics } from './topics.js';
import { areNumbers, fieldsOf } from './values.js';

const kCommits = ['end', 'each', 'manual'];
const kLeaveMs = 5000; // Who does not hear of it knows soon enough.
const kTimerMsMax = 60_000;

/** A member of a group: `for await (const record of group) …`. */
export class Group {
  #name;
  #connection;
  #sink;
  #news;
  #member;
  #commits;
  #timeoutMs;
  #wants;
  #records = []; // Of the piece that is gone through, the last one first.
  #piece;
  #drops = 0;
  #current; // Handed out, and not known to be dealt with.
  #isClosed = false;
  #timer;
  #waiting = []; // Who is to look again when something has changed.

  constructor(connection, name, { member = '', topic = '', commits = 'end', timeout = Infinity } = {}) {
    if (!kCommits.includes(commits))
      throw new BadTask(`commits: ${commits}: must be one of ${kCommits.join(', ')}`);
    this.#wants = topic ? topics(topic) : undefined;
    [this.#name, this.#connection, this.#commits, this.#timeoutMs] = [
      name,
      connection,
      commits,
      timeout * 1000,
    ];
    const run = randomBytes(8).readBigUInt64LE() || 1n;
    const called = member || `${hostname()}-${process.pid}`;
    this.#member = new Member(name, run, called, performance.now(), connection.patienceMs);
    this.#sink = connection.dealer(
      'queries',
      (raw, payload) => this.#hear(fieldsOf(raw), payload),
      () => this.#end(new NoAnswer(`no answer from the sink: ${kTurnedAway}`)),
    );
    this.#news = connection.connect(zmq.Subscriber, 'notifications', { receiveHighWaterMark: 0 });
    this.#news.subscribe('grown', 'head');
    pump(this.#news, (topic, raw) => {
      const fields = fieldsOf(raw);
      if (fields[1] !== 'log_head' || !areNumbers(fields, 2)) return;
      this.#member.onGrown(fields[2], Number(fields[3]), performance.now());
      this.#goOn();
    }).then(() => this.#changed()); // The cluster was closed.
    this.#goOn();
  }

  [Symbol.asyncIterator]() {
    return {
      next: () => this.#next(),
      // A loop that was left, whatever for: its last record may not have been dealt with.
      return: async () => {
        if (!this.#isClosed) await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** All that was handed out, the last one too, is dealt with: durably, or it is others' business. */
  async commit() {
    this.#current = undefined;
    await this.#dealtWith();
  }

  /** Leaves the group, so that others go on at once. Unless commits are manual, all but the last record is committed. */
  async close() {
    if (this.#isClosed) return;
    try {
      if (this.#commits !== 'manual' && !this.#member.isOver) await this.#dealtWith(this.#current);
    } finally {
      this.#member.leave(performance.now());
      this.#goOn();
      await this.#until(() => this.#member.hasLeft, kLeaveMs);
      this.#isClosed = true;
      clearTimeout(this.#timer);
      this.#connection.disconnect(this.#sink);
      this.#connection.disconnect(this.#news);
      this.#changed();
    }
  }

  // ---- Below: how.

  async #next() {
    if (this.#commits === 'each' && this.#current && !this.#isClosed) await this.commit();
    const until = performance.now() + this.#timeoutMs;
    this.#current = undefined;
    while (!this.#isClosed) {
      this.#checkOpen();
      const now = performance.now();
      const member = this.#member;
      if (member.isToLetGo()) this.#commits === 'manual' ? member.letGo(now) : member.commit(now);
      const found = member.mayHandOut(now) ? this.#take(now) : undefined;
      this.#speak();
      if (found?.lost) throw this.#goneOf(found.lost);
      if (found) return { done: false, value: (this.#current = found) };
      const error = member.takeError();
      if (error) throw error;
      if (now >= until) break;
      await this.#change(until - now);
    }
    await this.close();
    return { done: true, value: undefined };
  }

  #goneOf([first, last]) {
    const text = `${Gone.notKept('record', first, last)}; the oldest kept is ${last + 1}`;
    return Object.assign(new Gone(`group ${this.#name}: ${text}`, last + 1), { first, last });
  }

  /** The next of what is here, or nothing. */
  #take(now) {
    const member = this.#member;
    if (this.#drops !== member.drops)
      [this.#drops, this.#records, this.#piece] = [member.drops, [], undefined];
    for (;;) {
      while (this.#records.length) {
        const record = this.#records.pop();
        if (member.takes(record)) return record;
      }
      if (this.#piece) {
        const done = this.#piece;
        this.#piece = undefined;
        member.wentTo(done.next);
        member.endPiece(done.batch?.length ?? 0, now);
      }
      const piece = member.pieces.shift();
      if (!piece) return undefined;
      if (piece.lost) {
        member.wentTo(piece.next);
        return piece;
      }
      this.#piece = piece; // A malformed one is told once.
      if (piece.batch)
        this.#records = openBatch(piece.batch, 0, { partitions: member.count, wants: this.#wants }).reverse();
    }
  }

  async #dealtWith(but) {
    this.#checkOpen();
    this.#member.commit(performance.now(), but);
    this.#goOn();
    if (await this.#until(() => this.#member.isCommitted(), this.#connection.patienceMs)) return;
    throw this.#member.takeError() ?? new NoAnswer('no answer from the sink to what was to be committed');
  }

  async #until(is, milliseconds) {
    const until = performance.now() + milliseconds;
    while (!is()) {
      const left = until - performance.now();
      if (left <= 0 || this.#member.isOver || this.#connection.isClosed) return false;
      await this.#change(left);
    }
    return true;
  }

  #checkOpen() {
    if (this.#isClosed || this.#connection.isClosed) throw new Closed(`group ${this.#name}: is closed`);
  }

  #hear(fields, payload) {
    const [, name] = fields;
    const now = performance.now();
    const numbers = fields.slice(2, 8).map((each, at) => (at === 1 ? each : Number(each))); // But for the log's.
    const [request] = numbers;
    if (name === 'attending' && areNumbers(fields, 6)) this.#member.onAttending(...numbers, payload, now);
    else if (name === 'records' && areNumbers(fields, 4))
      this.#member.onRecords(request, numbers[2], numbers[3], payload, now);
    else if (name === 'gone' && areNumbers(fields, 5))
      this.#member.onGone(request, numbers[3], numbers[4], now);
    else if (name === 'refused') this.#member.end(Refused.by('sink', fields));
    this.#goOn();
  }

  #end(error) {
    this.#member.end(error);
    this.#goOn();
  }

  #goOn() {
    this.#speak();
    this.#changed();
  }

  /** Says what is to be said, and looks again when something is due. */
  #speak() {
    clearTimeout(this.#timer);
    if (this.#isClosed || this.#connection.isClosed) return;
    this.#member.onDeadline(performance.now());
    for (const frames of this.#member.out.splice(0)) sendNow(this.#sink, frames);
    const left = Math.min(this.#member.nextDeadline() - performance.now(), kTimerMsMax);
    this.#timer = setTimeout(() => this.#goOn(), Math.max(0, left)).unref();
  }

  #changed() {
    for (const look of this.#waiting.splice(0)) look();
  }

  #change(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(milliseconds, kTimerMsMax)).unref();
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

// The log, read in order and without a gap.
import * as zmq from 'zeromq';

import { kTurnedAway, sendNow } from './connection.js';
import { Closed, Gone, LogReplaced, NoAnswer, Refused } from './errors.js';
import { Following } from './following.js';
import { batchesOf, logText, openBatch } from './records.js';
import { topics } from './topics.js';
import { areNumbers, fieldsOf } from './values.js';

const kNewsMax = 1000; // Notifications that wait to be read; what is dropped beyond is read from the log.
const kLateMs = 1000; // Who looks so late has not heard what has come meanwhile.
const kSilenceMs = 5000; // The sink says something every second; after so long it is asked.

/** The one record at this offset. */
export async function recordAt(connection, offset) {
  const [fields, payload] = await connection.ask('queries', ['records', 'gone'], 'read', [0, offset, 0, 1]);
  if (fields[1] === 'gone') {
    const kept = fields[5];
    throw new Gone(`the sink: the result at ${offset} is not kept any more; the oldest kept is ${kept}`, kept);
  }
  for (const batch of batchesOf(payload, offset)) return openBatch(batch, offset)[0];
}

/** Reads the log from an offset on, in order and without a gap: all of it, or what fits a pattern of topics.
 * following.js decides, here are the sockets. */
export class Log {
  #connection;
  #sink;
  #news;
  #pattern;
  #wants;
  #core;
  #wanted; // The first offset.
  #heardAt;
  #lookedAt;
  #receiving; // What is published is received when it is asked for, as it comes otherwise.
  #changed = () => {};

  /** offset: from where on; without one, from where the log ends now. */
  static async open(connection, { offset, pattern = '', patienceMs = connection.patienceMs } = {}) {
    const log = new Log();
    log.#connection = connection;
    log.#pattern = pattern;
    log.#wants = pattern ? topics(pattern) : undefined;
    const turnAway = () => log.#core?.end(new NoAnswer(`no answer from the sink: ${kTurnedAway}`));
    log.#sink = connection.dealer(
      'queries',
      (raw, payload) => log.#hear(fieldsOf(raw), payload),
      () => (turnAway(), log.#changed()),
    );
    log.#news = connection.connect(zmq.Subscriber, 'notifications', { receiveHighWaterMark: kNewsMax });
    log.#news.subscribe('result.', 'head');
    try {
      const status = { head: offset };
      if (offset === undefined)
        Object.assign(status, await connection.query('queries', 'status', [0, 0], undefined, patienceMs));
      log.#begin({ offset: status.head }, patienceMs);
      while (!log.#core.isOpen) await log.#turn(performance.now() + patienceMs);
      log.#core.waitAnew(performance.now(), connection.patienceMs);
    } catch (error) {
      log.close();
      throw error;
    }
    return log;
  }

  #begin(cursor, patienceMs) {
    this.#wanted = cursor.offset;
    this.#heardAt = this.#lookedAt = performance.now();
    this.#core = new Following({ ...cursor, pattern: this.#pattern }, this.#heardAt, patienceMs);
  }

  /** What was submitted meanwhile may be in it already. */
  look() {
    this.#core.look(performance.now());
  }

  close() {
    this.#connection.disconnect(this.#news);
    this.#connection.disconnect(this.#sink);
  }

  /** The results that come next; none if nothing comes in time. */
  async take(milliseconds) {
    const until = performance.now() + milliseconds;
    while (!this.#core.batches.length && performance.now() < until) await this.#turn(until);
    let found = []; // Of one batch: what comes before a bad one is handed out, and a bad one is met once.
    while (!found.length && this.#core.batches.length)
      found = openBatch(this.#core.batches.shift(), this.#wanted, { wants: this.#wants });
    return found;
  }

  /** Until something comes or is due. */
  async #turn(until) {
    const now = performance.now();
    if (now > this.#lookedAt + kLateMs) this.#core.waitAnew(now);
    if (now > this.#heardAt + kSilenceMs) {
      this.#core.look(now);
      this.#heardAt = now; // Else it were due all the time, until the sink says something.
    }
    this.#core.onDeadline(now);
    for (const frames of this.#core.out.splice(0)) sendNow(this.#sink, frames);
    await this.#checkError();
    const due = Math.min(until, this.#core.nextDeadline(), this.#heardAt + kSilenceMs);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, due - now));
      this.#changed = () => (clearTimeout(timer), resolve());
      this.#receiving ??= this.#receive();
    });
    this.#lookedAt = performance.now();
    if (this.#news.closed) throw new Closed('the cluster was closed');
    if (!this.#core.batches.length) await this.#checkError();
  }

  async #receive() {
    try {
      const [, raw, payload] = await this.#news.receive();
      this.#receiving = undefined;
      this.#hear(fieldsOf(raw), payload);
    } catch {
      this.#changed(); // It is closed.
    }
  }

  #hear(fields, payload) {
    const [, name, ...more] = fields;
    const now = performance.now();
    const core = this.#core;
    this.#heardAt = now;
    try {
      if (name === 'notification' && payload) core?.onNotification(more[0], payload, now);
      else if (name === 'log_head' && areNumbers(fields, 2)) core?.onGrown(more[0], Number(more[1]), now);
      else if (name === 'records' && areNumbers(fields, 5)) core?.onRecords(more, payload, now);
      else if (name === 'gone' && areNumbers(fields, 5)) core?.onGone(more[0], more[3]);
      else if (name === 'refused') core?.onRefused(fields);
    } catch (error) {
      core?.end(error);
    }
    this.#changed();
  }

  async #checkError() {
    const core = this.#core;
    const error = core.takeError();
    if (!error) return;
    if (core.isOver && error instanceof Refused && core.log) {
      const { log: text } = await this.#connection.query('queries', 'status');
      const number = BigInt(`0x${text}`);
      if (number !== BigInt(core.log)) {
        const log = Number.isSafeInteger(Number(number)) ? Number(number) : number;
        this.#begin({ log, offset: 0, request: core.request }, this.#connection.patienceMs);
        throw new LogReplaced(
          `the log ${logText(core.log)} was replaced by ${text}: what was not read yet is gone; reading on begins at the start of the new one`,
        );
      }
    }
    throw error;
  }
}

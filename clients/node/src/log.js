// The log, read in order and without a gap.
import * as zmq from 'zeromq';

import { Closed, Gone, LogReplaced, Refused } from './errors.js';
import { batchesOf, openBatch, spanOf } from './records.js';
import { areNumbers, fieldsOf } from './values.js';

const kReadBytes = 1 << 20;
const kNewsMax = 1000; // Notifications that wait to be read; what is dropped beyond is read from the log.
const kReadEveryMs = 100; // Of a key that is bound to a prefix, which hears no notifications.
const kSilenceMs = 5000; // The sink says something every second; after so long it is asked.

/** The fields and batches of an answer to a read. */
export async function read(connection, log, offset, most, pattern = '', patienceMs = undefined) {
  const [fields, payload] = await connection.ask(
    ...['queries', ['records', 'gone'], 'read', [log, offset, 0, most, '', pattern], '', patienceMs],
  );
  if (fields[1] === 'gone') {
    const [, , , , asked, kept] = fields;
    throw new Gone(
      `the sink: ${kept - asked} results, offsets ${asked} to ${kept - 1}, are not kept any more; the oldest kept is ${kept}`,
      kept,
    );
  }
  return [fields, payload];
}

/** The one record at this offset. */
export async function recordAt(connection, offset) {
  const [, payload] = await read(connection, 0, offset, 1);
  for (const batch of batchesOf(payload)) return openBatch(batch, offset)[0];
}

/** Whether these are what a prefix of projects has, and no more. */
const isWithin = (records) => records.length > 7 && records[7] !== '';

/** Reads the log from an offset on, in order and without a gap: all of it, or what fits a pattern of topics. */
export class Log {
  #connection;
  #news;
  #pattern;
  #log;
  #head;
  #isWithin;
  #heardAt = Date.now();
  #isBehind = true; // The log is looked at before a notification is waited for.
  #next;

  /** offset: from where on; without one, from where the log ends now. */
  static async open(connection, { offset, pattern = '', patienceMs = connection.patienceMs } = {}) {
    const log = new Log();
    log.#connection = connection;
    log.#pattern = pattern;
    log.#news = connection.connect(zmq.Subscriber, 'notifications', { receiveHighWaterMark: kNewsMax });
    log.#news.subscribe('result.', 'head');
    try {
      log.#next = offset ?? (await connection.query('queries', 'status', [0, 0], undefined, patienceMs)).head;
      const [fields] = await read(connection, 0, log.#next, 1, pattern, patienceMs);
      [log.#log, log.#head, log.#isWithin] = [fields[3], fields[5], isWithin(fields)];
    } catch (error) {
      log.close();
      throw error;
    }
    return log;
  }

  /** What was submitted meanwhile may be in it already. */
  look() {
    this.#isBehind = true;
  }

  close() {
    this.#connection.disconnect(this.#news);
  }

  /** The results that come next; none if nothing comes in time. */
  async take(milliseconds) {
    // What is here already costs the sink nothing; the log is asked only for what is not.
    const isBehind = this.#isBehind || this.#head > this.#next;
    const frames = await this.#hear(
      isBehind ? 0 : this.#isWithin ? Math.min(milliseconds, kReadEveryMs) : milliseconds,
    );
    if (!frames) {
      if (isBehind || this.#isWithin || Date.now() > this.#heardAt + kSilenceMs) return this.#read();
      return [];
    }
    this.#heardAt = Date.now();
    const fields = fieldsOf(frames[1]);
    if (fields[1] === 'log_head' && areNumbers(fields, 2)) {
      if (fields[2] !== this.#log) this.#beginAnew(fields[2]);
      this.#head = Math.max(this.#head, Number(fields[3]));
    } else if (fields[1] === 'notification' && fields[2] === this.#log && frames.length > 2) {
      const { first, next } = spanOf(frames[2]);
      if (first === this.#next && !this.#pattern) return this.#open(frames[2]);
      this.#head = Math.max(this.#head, next); // If some were missed, they are read.
    }
    return [];
  }

  async #hear(milliseconds) {
    try {
      this.#news.receiveTimeout = milliseconds;
      return await this.#news.receive();
    } catch (error) {
      if (this.#news.closed) throw new Closed('the cluster was closed');
      if (error.code === 'EAGAIN') return undefined;
      throw error;
    }
  }

  async #read() {
    let answer;
    try {
      answer = await read(this.#connection, this.#log, this.#next, kReadBytes, this.#pattern);
    } catch (error) {
      if (error instanceof Refused) await this.#checkLog();
      throw error;
    }
    const [fields, payload] = answer;
    this.#heardAt = Date.now();
    [this.#isBehind, this.#head] = [false, fields[5]];
    const found = [...batchesOf(payload)].flatMap((batch) => this.#open(batch));
    // What is others', or does not fit, is left out, also at the end.
    if (isWithin(fields) || this.#pattern) this.#next = Math.max(this.#next, fields[4]);
    return found;
  }

  #open(batch) {
    const wanted = this.#next;
    this.#next = Math.max(wanted, spanOf(batch).next); // A bad batch is met once.
    this.#head = Math.max(this.#head, this.#next);
    return openBatch(batch, wanted);
  }

  async #checkLog() {
    const { log } = await this.#connection.query('queries', 'status');
    const number = BigInt(`0x${log}`);
    if (number !== BigInt(this.#log))
      this.#beginAnew(Number.isSafeInteger(Number(number)) ? Number(number) : number);
  }

  #beginAnew(log) {
    const hex = (number) => BigInt(number).toString(16).padStart(16, '0');
    const text = `the log ${hex(this.#log)} was replaced by ${hex(log)}: what was not read yet is gone; reading on begins at the start of the new one`;
    [this.#log, this.#next, this.#head, this.#isBehind] = [log, 0, 0, true];
    throw new LogReplaced(text);
  }
}

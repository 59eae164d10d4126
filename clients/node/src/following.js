// How a reader follows the log without a gap: by what is published, and by reading what none of that brought.
// Pure: no socket, no clock; `now` is in milliseconds. What clients/cpp/core/read.hpp decides.
import { Damaged, Gone, NoAnswer, Refused } from './errors.js';
import { batchesOf, crc32c, spanOf } from './records.js';
import { head } from './values.js';

const kRepeatMs = 1000; // What was not answered is said again.
const kReadEveryMs = 100; // Of a key that is bound to a prefix, which hears no publications.
const kReadBytes = 1 << 20;
const kAheadBytes = 16 << 20; // Published behind a gap, and kept.

/** out: messages that are to leave. batches: the log's next ones, in order; of the first one, what lies before the
 * offset that was asked for is to be skipped. */
export class Following {
  out = [];
  batches = [];
  isOpen = false;
  isOver = false; // Nothing comes any more.
  request; // The latest.
  #error;
  #patienceMs;
  #pattern;
  #crc = 0; // Of the batch before the offset; zero: to be taken of these bytes.
  #before;
  #end = 0; // The log's, as far as is known.
  #ahead = new Map(); // By first offset, in order, as it is published: what lies behind a gap.
  #aheadBytes = 0;
  #isWithin = false; // A prefix: it is told nothing that it does not ask for.
  #isAsking = false;
  #due;
  #silentAt;

  /** log: 0 if it is not known. request: the latest that was asked at this place before. */
  constructor({ log = 0, offset, pattern = '', request = 0 }, now, patienceMs) {
    [this.log, this.offset] = [log, offset]; // All below the offset is in `batches`, or does not fit.
    [this.#pattern, this.request, this.#patienceMs] = [pattern, request, patienceMs];
    this.#ask(now);
  }

  onNotification(log, batch, now) {
    if (this.isOver || !this.isOpen || log !== this.log) return;
    const { first, next } = spanOf(batch);
    this.#end = Math.max(this.#end, next);
    if (first === this.offset) {
      this.#take(batch);
      this.#takeAhead();
    } else if (
      first > this.offset &&
      !this.#ahead.has(first) &&
      this.#aheadBytes + batch.length <= kAheadBytes
    ) {
      this.#ahead.set(first, batch);
      this.#aheadBytes += batch.length;
    }
    this.#goOn(now);
  }

  /** Another log's end is beyond any offset: the sink says by name that the log is not the same. */
  onGrown(log, end, now) {
    if (!this.isOpen || this.isOver) return;
    this.#end = log === this.log ? Math.max(this.#end, end) : Infinity;
    this.#goOn(now);
  }

  onRecords([request, log, next, end, crc, within = ''], payload, now) {
    if (this.isOver || !this.#isAsking || request !== this.request) return;
    [this.#isAsking, this.isOpen, this.#isWithin, this.#end] = [false, true, within !== '', end];
    this.log ||= log;
    this.#due = now + kReadEveryMs;
    const leavesOut = this.#isWithin || this.#pattern !== '';
    try {
      for (const batch of batchesOf(payload, this.offset)) {
        const span = spanOf(batch);
        if (span.next <= this.offset) continue; // What was published meanwhile was taken.
        if (span.first > this.offset && !leavesOut)
          throw new Damaged(`the sink: a malformed piece of its log, at ${this.offset}`);
        this.#take(batch, crc);
      }
      if (leavesOut) {
        // What is others', or does not fit, is left out, also at the end.
        [this.offset, this.#crc, this.#before] = [Math.max(this.offset, next), 0, undefined];
      } else if (!payload.length && end > this.offset) {
        throw new Damaged(`the sink: its log has nothing at ${this.offset}`);
      }
    } catch (error) {
      this.end(error);
      return;
    }
    this.#takeAhead();
    this.#goOn(now);
  }

  onGone(request, keptFrom) {
    if (this.isOver || !this.#isAsking || request !== this.request || keptFrom <= this.offset) return;
    const { offset } = this;
    const text = `the sink: ${Gone.notKept('result', offset, keptFrom - 1)}; the oldest kept is ${keptFrom}`;
    this.end(new Gone(text, keptFrom));
  }

  /** Request zero: whichever was meant. */
  onRefused(fields) {
    const [, , request] = fields;
    if (request === 0 || (this.#isAsking && request === this.request))
      this.end(Refused.by('sink', fields));
  }

  /** More may be in the log than is known. */
  look(now) {
    if (this.isOpen && !this.#isAsking && !this.isOver) this.#ask(now);
  }

  onDeadline(now) {
    if (this.isOver) return;
    if (this.#isWithin && !this.#isAsking && now >= this.#due) this.#ask(now);
    if (!this.#isAsking) return;
    if (now >= this.#silentAt) {
      this.waitAnew(now);
      this.#error = NoAnswer.within('sink', this.#patienceMs);
    }
    if (now < this.#due) return;
    this.#due = now + kRepeatMs;
    this.#crc ||= this.#before ? crc32c(this.#before) : 0;
    const fields = [this.request, this.log, this.offset, this.#crc, kReadBytes];
    this.out.push([head('read', ...fields, ...(this.#pattern ? ['', this.#pattern] : [])), '']);
  }

  /** Nobody has looked for a while: the patience begins now. */
  waitAnew(now, patienceMs = this.#patienceMs) {
    [this.#patienceMs, this.#silentAt] = [patienceMs, now + patienceMs];
  }

  nextDeadline() {
    if (this.isOver || !(this.#isAsking || this.#isWithin)) return Infinity;
    return this.#isAsking ? Math.min(this.#due, this.#silentAt) : this.#due;
  }

  /** What is to be told now; it may answer again, unless it is over. */
  takeError() {
    const error = this.#error;
    if (!this.isOver) this.#error = undefined;
    return error;
  }

  end(error) {
    if (!this.isOver) [this.#error, this.isOver, this.#isAsking] = [error, true, false];
  }

  #ask(now) {
    // Said by the next deadline, and again every second.
    [this.#isAsking, this.#due] = [true, now];
    this.waitAnew(now);
    this.request += 1;
  }

  #goOn(now) {
    if (this.#end > this.offset && !this.#isAsking) this.#ask(now);
  }

  #take(batch, crc = 0) {
    [this.offset, this.#crc, this.#before] = [spanOf(batch).next, ...(this.#pattern ? [0] : [crc, batch])];
    this.batches.push(batch);
  }

  #takeAhead() {
    for (const [first, batch] of this.#ahead) {
      if (first > this.offset) return;
      this.#ahead.delete(first);
      this.#aheadBytes -= batch.length;
      if (first === this.offset) this.#take(batch);
    }
  }
}

// How a member of a group reads the log: one read at a time, no more ahead than there is room for. Pure.
import { batchesOf, spanOf } from './records.js';
import { head } from './values.js';

const kRepeatMs = 1000; // What was not answered is said again.
const kPollMs = 1000; // If nothing is published to it.
const kReadBytes = 1 << 20;
const kAheadBytes = 8 << 20; // Given and not gone through.

export class Reading {
  given = 0; // All below was gone through.
  #at = 0;
  #head = 0;
  #ahead = 0;
  #request = 0;
  #due = 0;
  #isAsked = false;

  /** From there on; what was given and what was asked for before is void. */
  begin(offset) {
    this.#at = this.given = offset;
    [this.#due, this.#isAsked, this.#ahead] = [0, false, 0];
    this.#request += 1;
  }

  /** The next read, if one is due: a message. */
  next(log, count, owned, now) {
    if (this.#isAsked || this.#ahead >= kAheadBytes || (this.#at >= this.#head && now < this.#due))
      return undefined;
    [this.#isAsked, this.#due] = [true, now + kRepeatMs];
    this.#request += 1;
    const partitions = Buffer.alloc(4 + 4 * owned.length);
    [count, ...owned].forEach((each, place) => partitions.writeUInt32LE(each, 4 * place));
    return [head('read', this.#request, log, this.#at, 0, kReadBytes), partitions];
  }

  /** The pieces of an answer, {batch, next: how far was looked with it}; none of what nobody asked for. */
  take(request, following, end, payload, now) {
    if (!this.#answers(request, end)) return [];
    const pieces = [...batchesOf(payload, this.#at)].map((batch) => ({ batch, next: spanOf(batch).next }));
    for (const { batch } of pieces) this.#ahead += batch.length;
    if (following > this.#at) pieces.push({ next: following });
    [this.#at, this.#due] = [Math.max(this.#at, following), now + kPollMs];
    return pieces;
  }

  /** What is not kept any more, {lost: [first, last]}, is told once, and then counts as read. */
  takeGone(request, keptFrom, end) {
    if (keptFrom <= this.#at || !this.#answers(request, end)) return [];
    const lost = [this.#at, keptFrom - 1];
    this.#at = keptFrom;
    return [{ lost, next: keptFrom }];
  }

  #answers(request, end) {
    if (!this.#isAsked || request !== this.#request) return false;
    this.#isAsked = false;
    this.#head = Math.max(this.#head, end);
    return true;
  }

  grow(end, now) {
    this.#head = Math.max(this.#head, end);
    if (!this.#isAsked) this.#due = Math.max(this.#due, now + kPollMs); // It hears of news.
  }

  endPiece(size) {
    this.#ahead = Math.max(0, this.#ahead - size);
  }

  onDeadline(now) {
    this.#isAsked = this.#isAsked && now < this.#due;
  }

  nextDeadline() {
    return this.#isAsked || this.#ahead < kAheadBytes ? this.#due : Infinity;
  }
}

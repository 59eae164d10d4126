// A member of a group of readers (docs/ring.md, G1 to G5): what it owns, what it says, how far it reads.
// Pure: no socket, no clock; `now` is in milliseconds and never falls. What clients/python/eole/member.py decides.
import { EoleError, LogReplaced, NoAnswer } from './errors.js';
import { Owned, cursors, offsetsIn } from './owned.js';
import { Reading } from './reading.js';
import { logText } from './records.js';
import { head } from './values.js';

const kRepeatMs = 1000; // What was not answered is said again.
const kLetGoMs = 5000; // Whoever reads may not be asked sooner.
const kSureBeats = 2.5; // Less than the sink's patience.

/** out: messages that are to leave. pieces: what is to be gone through, in order. */
export class Member {
  out = [];
  pieces = [];
  drops = 0; // So often the pieces were void.
  log = 0;
  count = 0; // Of the group's partitions.
  owned = new Map(); // By partition.
  isOver = false; // Nothing comes any more, once the error was told.
  hasLeft = false;
  #error;
  #told; // {group, run, name, patience}
  #isLeaving = false;
  #generation = 0; // Answered, or answered next …
  #latest = 0; // … and the latest that it was told.
  #everyMs = 1000;
  #request = 0;
  #answered = 0;
  #due;
  #said = 0;
  #sureUntil = 0;
  #silentAt;
  #letGoDue;
  #letGoRequest = 0;
  #reading = new Reading();

  constructor(group, run, name, now, patienceMs) {
    this.#told = { group, run, name, patienceMs };
    [this.#due, this.#silentAt] = [now, now + patienceMs];
  }

  // ---- What it owns.

  onAttending(request, log, generation, moved, heartbeatMs, partitions, payload, now) {
    if (this.isOver || this.hasLeft || (request && request <= this.#answered) || generation < this.#latest)
      return;
    if (this.log && log !== this.log) {
      const text = `the log ${logText(this.log)} was replaced by ${logText(log)}: the group ${this.#told.group} is of the old one`;
      this.end(new LogReplaced(text));
      return;
    }
    [this.#silentAt, this.log] = [now + this.#told.patienceMs, log];
    if (heartbeatMs > 0) this.#everyMs = heartbeatMs;
    if (request) {
      this.#answered = request;
      if (this.#isLeaving && request === this.#request) {
        this.hasLeft = true;
        return;
      }
      this.#due = now + this.#everyMs;
      if (request === this.#request) this.#sureUntil = this.#said + this.#everyMs * kSureBeats;
    }
    const offsets = offsetsIn(payload, partitions);
    if (this.#isLeaving || !offsets) return;
    this.count = partitions;
    this.#takeGeneration(generation, moved, offsets, now);
    if (request && request === this.#request && !this.isCommitted()) this.#attend(now); // What was wanted meanwhile.
  }

  #takeGeneration(generation, moved, offsets, now) {
    const [isNew, isMoved] = [generation > this.#latest, moved > this.#latest];
    this.#latest = generation;
    if (isMoved) this.owned.clear(); // What was handed out before is not to be committed now.
    for (const [partition, owned] of this.owned) {
      owned.position = owned.level(this.#reading.given);
      if (isNew && !offsets.has(partition)) owned.isLeaving = true;
    }
    if (!isNew && this.#letGoRequest && this.#answered >= this.#letGoRequest) {
      for (const [partition, { isLeaving }] of this.owned) if (isLeaving) this.owned.delete(partition);
      this.#letGoRequest = 0;
    }
    let isBehind = isMoved;
    for (const [partition, offset] of offsets) {
      const before = this.owned.get(partition);
      const owned = before ?? new Owned(offset);
      isBehind ||= !before || owned.isLeaving;
      owned.isLeaving = false;
      owned.hearCommitted(offset);
      this.owned.set(partition, owned);
    }
    if (isBehind) this.#readAnew();
    if (isNew && !this.isToLetGo()) this.letGo(now);
    else if (isNew) this.#letGoDue ??= now + kLetGoMs;
    this.#read(now);
  }

  /** Something was handed out of what others are to have: they wait for commit() or letGo(). */
  isToLetGo() {
    const isDue = ({ isLeaving, handed, wanted }) => isLeaving && handed > wanted;
    return this.#generation !== this.#latest && [...this.owned.values()].some(isDue);
  }

  /** What leaves may leave: the answer to the new generation, with what was committed. */
  letGo(now) {
    if (this.#generation === this.#latest) return;
    [this.#generation, this.#letGoDue] = [this.#latest, undefined];
    this.#attend(now);
    this.#letGoRequest = this.#request;
  }

  #staying = () => [...this.owned].filter(([, { isLeaving }]) => !isLeaving);

  #readAnew() {
    // What it has now begins elsewhere: from the one on that lies farthest behind.
    const positions = this.#staying().map(([, { position }]) => position);
    this.#reading.begin(positions.length ? Math.min(...positions) : 0);
    this.pieces = [];
    this.drops += 1;
  }

  // ---- What it says.

  #attend(now) {
    this.#request += 1;
    const wanted = [];
    let unacknowledged = 0;
    for (const [partition, owned] of this.owned) {
      // What was looked through behind what was handed out is others'.
      if (owned.handed <= owned.wanted)
        owned.wanted = Math.max(owned.wanted, owned.level(this.#reading.given));
      if (owned.wanted > owned.committed) wanted.push([partition, owned.wanted]);
      unacknowledged += owned.unacknowledged;
    }
    const { group, run, name } = this.#told;
    const fields = [this.#request, group, run, name, this.#generation, this.#isLeaving ? 1 : 0];
    if (unacknowledged > 0) fields.push('', unacknowledged);
    this.out.push([head('attend', ...fields), cursors(wanted.sort(([a], [b]) => a - b))]);
    [this.#due, this.#said] = [now + kRepeatMs, now];
  }

  /** All that was handed out is dealt with, but for that {partition, offset}. */
  commit(now, but = undefined) {
    for (const [partition, owned] of this.owned) {
      const isBut = but?.partition === partition && owned.handed === but.offset + 1;
      owned.wanted = Math.max(owned.wanted, isBut ? but.offset : owned.level(this.#reading.given));
      owned.unacknowledged = isBut ? 1 : 0;
    }
    if (this.#generation !== this.#latest) this.letGo(now);
    else if (!this.isCommitted() && this.#answered === this.#request) this.#attend(now); // Else with the answer.
  }

  /** All that was to be committed is durable, or others' business. */
  isCommitted() {
    return [...this.owned.values()].every(({ committed, wanted }) => committed >= wanted);
  }

  leave(now) {
    [this.#isLeaving, this.#generation] = [true, this.#latest];
    this.#attend(now);
  }

  /** The sink still counts on this member: what it owns is nobody else's (G4). */
  mayHandOut(now) {
    return now < this.#sureUntil;
  }

  // ---- What it reads.

  /** Goes through a record: whether it is to be handed out, which it then was. */
  takes({ partition, offset }) {
    this.wentTo(offset);
    const owned = this.owned.get(partition);
    if (!owned || owned.isLeaving || offset < owned.level(this.#reading.given)) return false;
    owned.position = owned.handed = offset + 1;
    owned.unacknowledged += 1;
    return true;
  }

  wentTo(following) {
    this.#reading.given = Math.max(this.#reading.given, following);
  }

  endPiece(size, now) {
    this.#reading.endPiece(size);
    this.#read(now);
  }

  onRecords(request, following, end, payload, now) {
    try {
      this.pieces.push(...this.#reading.take(request, following, end, payload, now));
    } catch (error) {
      this.end(error);
    }
    this.#read(now);
  }

  onGone(request, keptFrom, end, now) {
    this.pieces.push(...this.#reading.takeGone(request, keptFrom, end));
    this.#read(now);
  }

  onGrown(log, end, now) {
    if (log !== this.log) return;
    this.#reading.grow(end, now);
    this.#read(now);
  }

  #read(now) {
    const owned = this.#staying().map(([partition]) => partition);
    if (!owned.length || this.#isLeaving || this.isOver) return;
    const message = this.#reading.next(
      this.log,
      this.count,
      owned.sort((a, b) => a - b),
      now,
    );
    if (message) this.out.push(message);
  }

  // ---- Time.

  onDeadline(now) {
    if (this.isOver || this.hasLeft) return;
    if (this.#letGoDue !== undefined && now >= this.#letGoDue) this.letGo(now);
    if (now >= this.#due) this.#attend(now);
    if (now >= this.#silentAt) {
      const { patienceMs } = this.#told;
      this.#silentAt = now + patienceMs;
      this.#error = NoAnswer.within('sink', patienceMs);
    }
    this.#reading.onDeadline(now);
    this.#read(now);
  }

  nextDeadline() {
    if (this.isOver || this.hasLeft) return Infinity;
    const isReading = !this.#isLeaving && this.#staying().length > 0;
    const reading = isReading ? this.#reading.nextDeadline() : Infinity;
    return Math.min(this.#due, this.#silentAt, this.#letGoDue ?? Infinity, reading);
  }

  /** What is to be told now; it may answer again, unless it is over. */
  takeError() {
    const error = this.#error;
    if (!this.isOver) this.#error = undefined;
    return error;
  }

  end(error) {
    if (this.isOver) return;
    if (!(error instanceof EoleError)) throw error;
    [this.#error, this.isOver] = [error, true];
  }
}

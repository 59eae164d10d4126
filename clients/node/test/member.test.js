// A member of a group without a cluster: what it says, and which records it takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Member } from '../src/member.js';
import { cursors, offsetsIn } from '../src/owned.js';
import { batchesOf, openBatch } from '../src/records.js';
import { topics } from '../src/topics.js';
import { fieldsOf } from '../src/values.js';
import { batchOf } from './fake_sink.js';
import { golden } from './golden.js';

/** A member in its first second, with what is told to it and what it says. Times are in milliseconds. */
class Told {
  member = new Member('g', 5n, 'me', 0, 30_000);
  reads = [];
  request = 0;

  constructor() {
    this.member.onDeadline(0);
    this.said();
  }

  /** What it attended with since: [generation, leaving, cursors]; what it read is in `reads`. */
  said() {
    const out = this.member.out.splice(0).map(([raw, payload]) => [fieldsOf(raw), payload]);
    for (const [fields, payload] of out)
      if (fields[1] === 'read') this.reads.push([fields[2], fields[4], payload]);
    const attends = out.filter(([fields]) => fields[1] === 'attend');
    this.request = attends.at(-1)?.[0][2] ?? this.request;
    return attends.map(([fields, payload]) => [fields[6], fields[7], payload]);
  }

  /** The answer to its latest attend, or what it is told unasked. */
  told(generation, now, offsets, { moved = 0, request } = {}) {
    this.said();
    this.member.onAttending(request ?? this.request, 9, generation, moved, 2000, 4, cursors(offsets), now);
  }

  /** The offsets that are handed out of so many records without a key, whose partitions follow each other. */
  taken(first, count, now) {
    this.said();
    const batch = batchOf(first, count);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(batch.length);
    const payload = Buffer.concat([size, batch]);
    this.member.onRecords(this.reads.at(-1)[0], first + count, first + count, payload, now);
    const taken = [];
    for (let piece; (piece = this.member.pieces.shift()); this.member.wentTo(piece.next)) {
      const found = piece.batch ? openBatch(piece.batch, 0, { partitions: this.member.count }) : [];
      taken.push(...found.filter((each) => this.member.takes(each)).map(({ offset }) => offset));
    }
    return taken;
  }
}

test('the golden messages are written and read', () => {
  const fields = fieldsOf(golden('attend'));
  const member = new Member('g', 5n, 'me', 0, 30_000);
  member.onDeadline(0);
  const [[raw, payload]] = member.out;
  const types = (all) => all.map((each) => typeof each);
  assert.deepEqual(
    [fieldsOf(raw)[1], types(fieldsOf(raw).slice(0, 8)), payload.length],
    ['attend', types(fields.slice(0, 8)), 0], // What is told to people is left out while it is nothing.
  );
  assert.deepEqual(types(fieldsOf(golden('attending')).slice(2)), Array(6).fill('number'));
});

// Of batchOf(first, …) the record at an offset is task offset + 1 of origin 0: its partition is that modulo four.
test('it takes what it owns, and commits what was dealt with', () => {
  const it = new Told();
  it.told(1, 100, [
    [1, 0],
    [3, 3],
  ]);
  assert.deepEqual(it.said(), [[1, 0, cursors([])]]);
  const [, offset, partitions] = it.reads.at(-1);
  assert.deepEqual([offset, partitions.toString('hex')], [0, '040000000100000003000000']);
  assert.deepEqual(it.taken(0, 8, 200), [0, 4, 6]); // Offset 2 is committed.
  it.member.commit(300, { partition: 3, offset: 6 });
  assert.deepEqual(it.said(), []); // What it said before is not answered yet.
  it.told(1, 400, [
    [1, 0],
    [3, 3],
  ]);
  assert.deepEqual(it.said(), [
    [
      1,
      0,
      cursors([
        [1, 8],
        [3, 6],
      ]),
    ],
  ]);
  assert.equal(it.member.isCommitted(), false);
  it.told(1, 500, [
    [1, 8],
    [3, 6],
  ]);
  assert.equal(it.member.isCommitted(), true);
});

test('cursors that are none are nothing, and partitions that the group has not are left out', () => {
  const raw = cursors([
    [3, 7],
    [4, 8],
  ]);
  assert.deepEqual(offsetsIn(raw, 4), new Map([[3, 7]]));
  for (const [odd, partitions] of [
    [raw.subarray(1), 4],
    [raw, 0],
    [raw, 257],
  ])
    assert.equal(offsetsIn(odd, partitions), undefined);
});

test('it is sure only if the sink answered lately', () => {
  const it = new Told();
  it.told(1, 100, [[0, 0]]);
  assert.deepEqual([it.member.mayHandOut(4900), it.member.mayHandOut(5100)], [true, false]);
  it.member.onDeadline(100_000); // It was stopped.
  it.told(1, 100_000, [[0, 0]], { request: 2 }); // The answer to what it said before.
  assert.equal(it.member.mayHandOut(100_000), false);
  it.told(1, 100_100, [[0, 0]]);
  assert.equal(it.member.mayHandOut(100_200), true);
});

test('what moves is let go once it is dealt with, and what stays goes on', () => {
  const it = new Told();
  it.told(1, 100, [
    [1, 0],
    [2, 0],
  ]);
  assert.deepEqual(it.taken(0, 2, 200), [0, 1]);
  it.told(2, 300, [[1, 0]], { request: 0 });
  assert.deepEqual([it.member.isToLetGo(), it.said()], [true, []]);
  it.member.onGrown(9, 6, 350);
  assert.deepEqual(it.taken(2, 4, 360), [4]); // Not offset 5, of partition 2.
  it.member.commit(400);
  assert.deepEqual(it.said(), [
    [
      2,
      0,
      cursors([
        [1, 6],
        [2, 2],
      ]),
    ],
  ]);
  it.told(2, 500, [[1, 6]]);
  assert.deepEqual([...it.member.owned.keys()], [1]);
  it.member.onGrown(9, 12, 600);
  assert.deepEqual(it.taken(6, 6, 700), [8]);
});

test('what comes back begins where others have committed', () => {
  const it = new Told();
  it.told(1, 100, [[1, 0]]);
  it.told(2, 200, []);
  assert.deepEqual(it.said().at(-1), [2, 0, cursors([])]);
  it.told(3, 300, [[1, 9]], { request: 0 });
  it.said();
  assert.equal(it.reads.at(-1)[1], 9);
});

test('it lets go by itself if nobody asks, and commits nothing', () => {
  const it = new Told();
  it.told(1, 100, [
    [1, 0],
    [2, 0],
  ]);
  assert.deepEqual(it.taken(0, 2, 200), [0, 1]);
  it.told(2, 300, [[1, 0]], { request: 0 });
  it.said();
  it.member.onDeadline(5200);
  it.said();
  it.member.onDeadline(5300);
  assert.deepEqual(it.said(), [[2, 0, cursors([])]]);
});

test('what was moved by others is read from there, and nothing of before is committed', () => {
  const it = new Told();
  it.told(1, 100, [[1, 0]]);
  assert.deepEqual(it.taken(0, 6, 200), [0, 4]);
  it.told(2, 300, [[1, 0]], { moved: 2 });
  assert.deepEqual(it.said(), [[2, 0, cursors([])]]);
  assert.deepEqual([it.member.drops, it.reads.at(-1)[1]], [2, 0]);
  assert.deepEqual(it.taken(0, 6, 400), [0, 4]);
});

test('what is gone is told once, in its place, and an answer that nobody asked for is nothing', () => {
  const it = new Told();
  it.told(1, 100, [[1, 0]]);
  it.said();
  const [[request]] = it.reads;
  it.member.onGone(request + 1, 7, 9, 200);
  it.member.onRecords(request + 1, 9, 9, Buffer.alloc(0), 200);
  assert.deepEqual(it.member.pieces, []);
  it.member.onGone(request, 7, 9, 200);
  it.member.onGone(request, 7, 9, 200);
  assert.deepEqual(it.member.pieces, [{ lost: [0, 6], next: 7 }]);
  it.said();
  assert.equal(it.reads.at(-1)[1], 7);
});

test('another log and nonsense end it; silence is told and does not', () => {
  const cases = {
    LogReplaced: (it) => it.member.onAttending(it.request, 8, 1, 0, 2000, 4, cursors([[0, 0]]), 200),
    Damaged: (it) => it.member.onRecords(it.reads.at(-1)[0], 9, 9, Buffer.from('05000000ff', 'hex'), 200),
    NoAnswer: (it) => it.member.onDeadline(30_200),
  };
  for (const [name, happen] of Object.entries(cases)) {
    const it = new Told();
    it.told(1, 100, [[0, 0]]);
    it.said();
    it.member.onDeadline(4000);
    it.said();
    happen(it);
    assert.deepEqual([it.member.takeError()?.name, it.member.isOver], [name, name !== 'NoAnswer']);
  }
});

test('a pattern of topics is words and what stands for them', () => {
  const fits = (pattern, ...topic) => topics(pattern)(...topic);
  assert.ok(
    fits('#', '', 'echo', 'done') &&
      fits('shop/#', 'shop', 'a/b', 'done') &&
      fits('*/echo/done', '', 'echo', 'done'),
  );
  assert.ok(fits('#/done/#', 'a', 'b', 'done') && fits('a/*/*/#', 'a', 'b', 'done'));
  assert.ok(!fits('shop/*', 'shop', 'echo', 'done') && !fits('shop/*/failed', 'shop', 'echo', 'done'));
  assert.throws(() => topics(''), /topic: is empty/);
  assert.throws(() => topics('a*/b'), /alone between slashes/);
  assert.throws(() => topics('#/'.repeat(64)), /limits 1024 bytes and 64/);
});

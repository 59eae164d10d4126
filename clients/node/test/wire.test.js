// No cluster: bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BadTask, Damaged, NotFound, Refused } from '../src/errors.js';
import { crc32c, openBatch, parseTaskId, rangesOf, taskIds } from '../src/records.js';
import { messagesOf } from '../src/submission.js';
import { decode, encode, fieldsOf, head } from '../src/values.js';
import { conditionsOf } from '../src/words.js';
import { golden } from './golden.js';

function batchOf(run, count = 1) {
  const front = Buffer.alloc(34);
  front.writeUInt32LE(count, 24);
  front.writeUInt16LE(2, 28);
  return Buffer.concat([front, Buffer.from('w1'), run]);
}

const nested = (depth) => (depth ? [nested(depth - 1)] : []);
const messages = (...submit) => [...messagesOf(...submit)];

test('the golden records are read', () => {
  const [result] = openBatch(golden('batch.record'));
  const { offset, id, kind, project, state, attempt, worker, error, runSeconds, isFinal } = result;
  assert.deepEqual(
    [offset, id, kind, project, state, attempt],
    [1000, '003rj0-42', 'echo', 'photos', 'failed', 3],
  );
  assert.deepEqual([worker, error, runSeconds, isFinal], ['w1', 'why', 1.5, false]);
  assert.deepEqual([result.submitted, result.finished].map(Number), [1_789_999_990_000, 1_790_000_000_123]);
  const pair = openBatch(batchOf(golden('result_run.record'), 2));
  assert.deepEqual(
    pair.map((each) => [each.offset, each.id, each.value]),
    [
      [0, '003rj0-42', 7],
      [1, '003rj0-43', undefined],
    ],
  );
  assert.equal(openBatch(batchOf(golden('result.record')))[0].error, 'why');
  const states = [];
  openBatch(batchOf(golden('result_copy.record')), 0, { wants: (project, kind, state) => states.push(state) });
  assert.deepEqual(states, ['copy']);
  assert.deepEqual(
    openBatch(golden('batch.record'), 1001).map((each) => [each.offset, each.id, each.value]),
    [
      [1001, '003rj0-43', 7],
      [1002, '003rj0-44', undefined],
    ],
  );
  assert.deepEqual(openBatch(golden('batch.record'), 1003), []);
});

test('the golden heads are read, also with fields that only a later release knows', () => {
  const heads = {
    accepted: [123456],
    notification: [99],
    log_head: [99, 1010],
    records: [1, 99, 1010, 1010, 4242],
    refused: [1, 'queue full'],
    answer: [1],
  };
  for (const [name, fields] of Object.entries(heads)) {
    assert.deepEqual(fieldsOf(golden(name)), [1, name, ...fields]);
    const later = Buffer.concat([golden(name), encode(2n ** 63n)]);
    later[0] += 1;
    assert.deepEqual(fieldsOf(later), [1, name, ...fields, 2n ** 63n]);
  }
  assert.deepEqual(head('submit', 7, 1, 0, 'key', 2), golden('submit'));
});

test('a refusal has a code for programs', () => {
  const plain = Refused.by('sink', fieldsOf(golden('refused')));
  assert.deepEqual([plain.message, plain.code, plain.retryAfter], ['the sink: queue full', '', 0]);
  const told = Refused.by('ventilator', fieldsOf(golden('refused.code')));
  assert.deepEqual([told.message, told.code, told.retryAfter], ['the ventilator: no more now', 'quota', 12]);
});

test('the golden tasks are written', () => {
  const [{ payload, count }] = messages('echo', [{}], { project: 'photos', retry: true, attempts: 7 });
  assert.deepEqual([payload, count], [golden('task_group.record'), 1]);
});

test('whole numbers keep all their digits, in both directions', () => {
  const value = { small: 1, now: 1795778681284, huge: 2n ** 64n - 1n, least: -(2n ** 63n) };
  assert.deepEqual(decode(encode(value)), value);
  assert.equal(encode(1795778681284)[0], 0xcf); // And no float.
  assert.equal(encode({ a: 1795778681284, b: 1n }).includes(0xcb), false);
});

test('what cannot be decoded comes as bytes', () => {
  for (const hex of ['c1', '', '0102', 'ddffffffff', '91'.repeat(100_000)]) {
    const raw = Buffer.from(hex, 'hex');
    assert.deepEqual(decode(raw), raw);
  }
  assert.deepEqual(decode(encode(nested(31))), nested(31));
  assert.ok(Buffer.isBuffer(decode(encode(nested(33)))));
});

test('a body may be anything', () => {
  const odd = (from, to) =>
    Buffer.from(golden('result.record').toString('latin1').replace(from, to), 'latin1');
  const [bytes] = openBatch(batchOf(odd('\x81\xa5error\xa3why', '\x9a\xa5error\xa3why')));
  assert.deepEqual([Buffer.isBuffer(bytes.body), bytes.value, bytes.error], [true, undefined, undefined]);
  assert.deepEqual(
    openBatch(batchOf(odd('echo', '\xff\xfe\x1b\xff')))[0].kind,
    Buffer.from('fffe1bff', 'hex'),
  );
});

test('a malformed batch is named, wherever it ends', () => {
  const whole = golden('batch.record');
  for (let size = 0; size < whole.length; size += 1)
    assert.throws(() => openBatch(whole.subarray(0, size)), Damaged, `${size}`);
});

test('ids are read, and their ranges are those of neighbours', () => {
  assert.deepEqual(parseTaskId('003rj0-42'), [123456, 42]);
  for (const bad of ['', '003rj0', '003rj0-0', '003rji-1', '003rj0-1e3', '003rj0-99999999999999999999', 5])
    assert.throws(() => parseTaskId(bad), NotFound);
  const [[origin, ranges]] = rangesOf(['003rj0-3', '003rj0-1', '003rj0-2', '003rj0-9'], 100);
  assert.deepEqual(
    [origin, ranges.length, ranges.readBigUInt64LE(8), ranges.readBigUInt64LE(16)],
    [123456, 32, 3n, 9n],
  );
  assert.deepEqual(taskIds(123456, 42, 2), ['003rj0-42', '003rj0-43']);
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('messages are split by bytes and by number, but under a key', () => {
  const counts = (args, words = {}) => messages('echo', args, words).map(({ count }) => count);
  assert.deepEqual(
    counts([...Array(3).fill('x'.repeat(900_000)), ...Array(1030).fill('y')]),
    [1, 1, 1024, 7],
  );
  assert.deepEqual([counts([]), counts([[1, 2]]), counts('hello'), counts(null)], [[], [1], [1], [1]]);
  assert.deepEqual(counts(Array(5000).fill(1), { idempotency_key: 'k' }), [5000]);
  assert.throws(() => counts(Array(65537).fill(1), { idempotency_key: 'k' }), /must fit one message/);
});

test('the words of a task are checked, and said as others say them', () => {
  const bad = [
    [[NaN], {}, /task 0: args: NaN/],
    [[{ a: [() => 1] }], {}, /a\[0\]: a function/],
    [[new Map()], {}, /a Map has no word/],
    [[2n ** 64n], {}, /more than 64 bits/],
    [['x'.repeat(1 << 20)], {}, /limit 1048576/],
    [1, { prio: 3 }, /prio: not a word/],
    [1, { priority: 10 }, /from 0 to 9/],
    [1, { timeout: '5 parsecs' }, /no span of time/],
    [1, { retry: { often: 1 } }, /often is not known/],
    [1, { retry: -1 }, /retry: -1: must be true, false, or \{ attempts, backoff, backoff_max, on \}/],
    [1, { retry: null }, /retry: null: must be/],
    [1, { speculate: 2 }, /speculate: 2: must be true or false/],
    [1, { spread: 'yes' }, /spread: yes: must be true or false/],
    [1, { after: 'nobody' }, /after nobody/],
    [1, { pin: 'w1', spread: true }, /one of them/],
    [1, { not_before: '2026-01-31T12:00:00' }, /no time/],
    [1, { traceparent: '00-0-0-0' }, /traceparent/],
  ];
  for (const [args, words, why] of bad) {
    assert.throws(
      () => messages('echo', args, words),
      (error) => error instanceof BadTask && why.test(error.message),
      `${why}`,
    );
  }
  const waits = conditionsOf({ key: 'k', delay: '250ms', after: ['003rj0-1', '003rj0-2', 'project:p'] });
  const parents = '01 40e20100 0100000000000000 02000000 03 01 70';
  const fields = `98 01 ${hexOf('conditions')} ${hexOf('k')} ccfa 00 00 00 da0014 ${parents}`;
  assert.equal(waits.toString('hex'), fields.replaceAll(' ', ''));
  assert.equal(conditionsOf({}).length, 0);
});

const hexOf = (text) => Buffer.from(encode(text)).toString('hex');

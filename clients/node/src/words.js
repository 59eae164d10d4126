// The words of a task: when, in what order, how often and where it runs. The same as in JSON (docs/plans.md).
import { encode } from './values.js';
import { BadTask, NotFound } from './errors.js';
import { parseTaskId } from './records.js';

const kSpanSecondsMax = 3_155_760_000; // A hundred years: longer is a mistake.
const kTimeoutSecondsMax = 30 * 86400;
const kBackoffSecondsMax = 86400;
const kParentsMax = 1024;
const kTextBytesMax = 255;
const kRetryOnBytesMax = 512;
const kNeedsBytesMax = 1000;
const kUnitSeconds = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 };
const kOnParentFailure = ['fail', 'skip', 'run'];
const kWords = new Set(
  (
    'project retry attempts idempotency_key priority delay not_before expires key after on_parent_failure timeout needs ' +
    'pin prefer spread speculate traceparent'
  ).split(' '),
);
const kRetryWords = ['attempts', 'backoff', 'backoff_max', 'on'];

export function checkWords(words) {
  for (const word of Object.keys(words))
    if (!kWords.has(word)) throw new BadTask(`${word}: not a word of a task`);
}

/** The class of tasks with these words, encoded. */
export function classOf(kind, words) {
  const { retry = false, on_parent_failure: failure = 'fail' } = words;
  if (typeof retry !== 'boolean' && (typeof retry !== 'object' || !retry || Array.isArray(retry)))
    throw new BadTask(`retry: ${retry}: must be true, false, or { ${kRetryWords.join(', ')} }`);
  const again = typeof retry === 'object' && retry ? retry : {};
  for (const word of Object.keys(again)) {
    if (!kRetryWords.includes(word))
      throw new BadTask(`retry: ${word} is not known; ${kRetryWords.join(', ')} are`);
  }
  if (!kOnParentFailure.includes(failure))
    throw new BadTask(`on_parent_failure: ${failure}: must be fail, skip or run`);
  if (!text(kind, 'kind')) throw new BadTask('the kind has 0 bytes, at least 1');
  return packed([
    ...[1, 'class', kind, text(words.project ?? '', 'project')],
    number(again.attempts ?? words.attempts ?? 0, 'attempts', 255),
    retry ? 1 : 0,
    number(words.priority ?? 0, 'priority', 9),
    milliseconds(again.backoff ?? 0, 'retry: backoff', kBackoffSecondsMax),
    milliseconds(again.backoff_max ?? 0, 'retry: backoff_max', kBackoffSecondsMax),
    text([again.on ?? ''].flat().join(','), 'retry: on', kRetryOnBytesMax),
    milliseconds(words.timeout ?? 0, 'timeout', kTimeoutSecondsMax),
    needs(words.needs ?? {}),
    place(words),
    flag(words.speculate, 'speculate'),
    kOnParentFailure.indexOf(failure),
  ]);
}

/** What a task waits for, encoded; empty: nothing. */
export function conditionsOf(words) {
  const [inMs, notBefore] = when(words.not_before ?? 0, 'not_before');
  const expires = words.expires === undefined ? [0, 0] : when(words.expires, 'expires');
  if (words.expires !== undefined && !expires.some(Boolean))
    throw new BadTask('expires: must be in the future');
  const delay = Math.max(milliseconds(words.delay ?? 0, 'delay'), inMs);
  const parents = parentsOf(words.after ?? []);
  const fields = [1, 'conditions', text(words.key ?? '', 'key'), delay, notBefore, ...expires];
  return packed(parents.length ? [...fields, parents] : fields);
}

/** The W3C trace context that a task is part of, as a task carries it; empty: none. */
export function traceOf({ traceparent }) {
  if (traceparent === undefined) return Buffer.alloc(0);
  const match =
    /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(
      traceparent,
    );
  if (!match || (match[1] === '00' && match[5] !== undefined))
    throw new BadTask(
      `traceparent: ${traceparent}: must be like 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`,
    );
  return Buffer.from(match[2] + match[3] + match[4], 'hex');
}

/** What is not said at the end is left out; nothing at all if nothing is said. */
function packed(fields) {
  let size = fields.length;
  while (size > 2 && (fields[size - 1] === 0 || fields[size - 1] === '')) size -= 1;
  if (size === 2) return Buffer.alloc(0);
  // Parents are bytes where the wire has a text, which may hold any.
  const pieces = fields
    .slice(0, size)
    .map((field) => (Buffer.isBuffer(field) ? textOfBytes(field) : encode(field)));
  return Buffer.concat([Buffer.from([0x90 | size]), ...pieces]);
}

function textOfBytes(raw) {
  const header = Buffer.alloc(3);
  header[0] = 0xda;
  header.writeUInt16BE(raw.length, 1);
  return Buffer.concat([header, raw]);
}

/** Of a span: seconds, or a text like "250ms", "1.5s", "5m", "2h", "3d". */
function milliseconds(span, what, most = kSpanSecondsMax) {
  const match = typeof span === 'string' ? /^(\d+\.?\d*|\.\d+)(ms|s|m|h|d)?$/.exec(span) : null;
  const seconds = match ? Number(match[1]) * kUnitSeconds[match[2] ?? 's'] : span;
  if (typeof seconds !== 'number' || !(seconds >= 0))
    throw new BadTask(`${what}: ${span} is no span of time (90, 250ms, 1.5s, 5m, 2h, 3d)`);
  if (seconds > most) throw new BadTask(`${what}: ${span}: limit ${most} s`);
  return seconds ? Math.max(1, Math.round(seconds * 1000)) : 0;
}

/** [milliseconds from when it is accepted, Unix milliseconds] of a span or a Date; one of them is zero. */
function when(time, what) {
  if (!(time instanceof Date) && !(typeof time === 'string' && time.includes(':')))
    return [milliseconds(time, what), 0];
  const unixMs = new Date(time).getTime();
  if (Number.isNaN(unixMs) || (typeof time === 'string' && !/([Zz]|[+-]\d\d:\d\d)$/.test(time)))
    throw new BadTask(`${what}: ${time} is no time (2026-01-31T12:00:00Z, 2026-01-31T12:00:00+01:00)`);
  return [0, Math.max(1, unixMs)];
}

function number(value, what, most) {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new BadTask(`${what}: ${value} is no whole number from 0 to ${most}`);
  return value;
}

function flag(value, what) {
  if (value !== undefined && typeof value !== 'boolean')
    throw new BadTask(`${what}: ${value}: must be true or false`);
  return value ? 1 : 0;
}

function text(value, what, most = kTextBytesMax) {
  if (typeof value !== 'string') throw new BadTask(`${what}: ${value} is no text`);
  const size = Buffer.byteLength(value);
  if (size > most) throw new BadTask(`${what} of ${size} bytes, limit ${most}`);
  return value;
}

/** {gpu: 'a100', mem: '64G', licence: 2} as a class says it. */
function needs(wanted) {
  const said = Object.keys(wanted)
    .sort()
    .map((name) => {
      if (!['string', 'number'].includes(typeof wanted[name]) || /[,=]/.test(`${name}${wanted[name]}`))
        throw new BadTask(
          `needs: ${name}: ${wanted[name]}: must be a text or a number, without commas and =`,
        );
      return `${name}=${wanted[name]}`;
    });
  return text(said.join(','), 'needs', kNeedsBytesMax);
}

function place({ pin, prefer, spread }) {
  const said = [pin && `pin=${pin}`, prefer && `prefer=${prefer}`, flag(spread, 'spread') && 'spread'].filter(Boolean);
  if (said.length > 1) throw new BadTask('pin, prefer and spread: one of them at most');
  return text(said[0] ?? '', 'pin or prefer');
}

/** Whom a task waits for: ids, results and "project:NAME"; neighbours are one stretch. */
function parentsOf(after) {
  const stretches = [];
  for (const each of [after].flat(Infinity)) {
    const name = typeof each === 'string' ? each : each?.id;
    if (typeof name !== 'string') throw new BadTask(`after: ${each}: must be ids or project:NAME, as texts`);
    if (name.startsWith('project:')) {
      stretches.push({ project: Buffer.from(text(name.slice(8), 'after: a project')) });
      continue;
    }
    const [origin, seq] = idOf(name);
    const last = stretches.at(-1);
    if (last?.origin === origin && last.seq + last.count === seq) last.count += 1;
    else stretches.push({ origin, seq, count: 1 });
  }
  if (stretches.length > kParentsMax)
    throw new BadTask(
      `after: ${stretches.length} stretches of tasks, limit ${kParentsMax} (a project may have more)`,
    );
  return Buffer.concat(stretches.map(stretchOf));
}

function idOf(name) {
  try {
    return parseTaskId(name);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new BadTask(`after ${name}: no task id, and no project:NAME`);
  }
}

function stretchOf({ project, origin, seq, count }) {
  if (project) {
    if (!project.length) throw new BadTask('after project: a project has 1 to 255 bytes');
    return Buffer.concat([Buffer.from([3, project.length]), project]);
  }
  const raw = Buffer.alloc(17); // 1 + 4 + 8 + 4
  raw[0] = 1;
  raw.writeUInt32LE(origin, 1);
  raw.writeBigUInt64LE(BigInt(seq), 5);
  raw.writeUInt32LE(count, 13);
  return raw;
}

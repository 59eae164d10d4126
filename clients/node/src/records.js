// Results as they lie in the log (docs/protocol.md, "Records").
import { Damaged, NotFound } from './errors.js';
import { decode, textOrBytes } from './values.js';

const kLetters = '0123456789abcdefghjkmnpqrstvwxyz';
const kStates = [null, 'done', 'failed', 'dead', 'cancelled'];
const kBatchBytes = 34; // 8 + 8 + 8 + 4 + 2 + 4
const kRunBytes = 64;

/** How a task ended (or, if not `isFinal`, one attempt: it will be tried again, or its other copy counts). */
export class Result {
  constructor(fields) {
    Object.assign(this, fields);
  }
  /** What a done task returned. */
  get value() {
    return this.member('value');
  }
  /** Why any other did not. */
  get error() {
    return this.member('error');
  }
  /** Of which sort a failure was, as `retry: { on: … }` names it ('exit:75', 'timeout', 'RangeError'). */
  get cause() {
    return this.member('cause');
  }
  /** {sha256, bytes, name} of the file that the task made. */
  get artifact() {
    return this.member('artifact');
  }
  /** @private */
  member(name) {
    const { body } = this;
    const isMap =
      typeof body === 'object' && body !== null && !Array.isArray(body) && !ArrayBuffer.isView(body);
    return isMap && Object.hasOwn(body, name) ? body[name] : undefined;
  }
}

export function originText(origin) {
  let text = '';
  for (let shift = 25; shift >= 0; shift -= 5) text += kLetters[(origin >>> shift) & 31];
  return text;
}

/** Origin and number of "k3f9qz-17". */
export function parseTaskId(id) {
  const match = /^([0-9a-hjkmnp-tv-z]{6})-([1-9][0-9]{0,15})$/.exec(id);
  if (!match || !Number.isSafeInteger(Number(match[2])))
    throw new NotFound(`${String(id)}: not a task id (like k3f9qz-17)`);
  let origin = 0;
  for (const letter of match[1]) origin = origin * 32 + kLetters.indexOf(letter);
  return [origin, Number(match[2])];
}

export function taskIds(origin, first, count) {
  const prefix = `${originText(origin)}-`;
  return Array.from({ length: count }, (_, at) => prefix + (first + at));
}

/** Of ids: [origin, their ranges encoded] for at most so many tasks each. */
export function* rangesOf(ids, most) {
  const byOrigin = new Map();
  for (const [origin, seq] of ids.map(parseTaskId))
    byOrigin.set(origin, (byOrigin.get(origin) ?? new Set()).add(seq));
  for (const [origin, some] of byOrigin) {
    const numbers = [...some].sort((a, b) => a - b);
    for (let at = 0; at < numbers.length; at += most) {
      const ranges = [];
      for (const seq of numbers.slice(at, at + most)) {
        if (ranges.at(-1)?.[1] === seq - 1) ranges.at(-1)[1] = seq;
        else ranges.push([seq, seq]);
      }
      const encoded = Buffer.alloc(16 * ranges.length);
      ranges.forEach(([first, last], place) => {
        encoded.writeBigUInt64LE(BigInt(first), 16 * place);
        encoded.writeBigUInt64LE(BigInt(last), 16 * place + 8);
      });
      yield [origin, encoded];
    }
  }
}

const u64 = (raw, at) => Number(raw.readBigUInt64LE(at));

/** {first, next}: the offsets of a batch. */
export function spanOf(batch) {
  if (batch.length < kBatchBytes)
    throw new Damaged(`a batch of ${batch.length} bytes, at least ${kBatchBytes}`);
  const first = u64(batch, 0);
  return { first, next: first + batch.readUInt32LE(24) };
}

/** A log's name, as people read it. */
export const logText = (log) => BigInt(log).toString(16).padStart(16, '0');

/** The batches of an answer to a read from `offset` on, each after its size. */
export function* batchesOf(payload, offset) {
  for (let at = 0; at < payload.length;) {
    const size = at + 4 <= payload.length ? payload.readUInt32LE(at) : 0;
    const batch = payload.subarray(at + 4, at + 4 + size);
    if (size < kBatchBytes || batch.length < size)
      throw new Damaged(`the sink: a malformed piece of its log, at ${offset}`);
    yield batch;
    at += 4 + size;
  }
}

/** The records of a batch from the offset `wanted` on. partitions: of the group that reads; wants: of a topic. */
export function openBatch(batch, wanted = 0, { partitions = 0, wants } = {}) {
  const found = [];
  let offset = 0;
  try {
    const { first, next } = spanOf(batch);
    let at = kBatchBytes + batch.readUInt16LE(28);
    const worker = textOrBytes(piece(batch, kBatchBytes, at));
    for (offset = first; offset < next;) {
      const run = runOf(batch, at);
      const { kind, project, state, isFinal, isCopy, key } = run;
      if (wants && !wants(project, kind, isCopy ? 'copy' : isFinal ? state : 'retrying')) {
        at = run.bodies + run.bytes;
        offset += run.count;
        continue;
      }
      at = run.bodies;
      const prefix = `${originText(run.origin)}-`;
      for (let number = 0; number < run.count && offset < next; number += 1, offset += 1) {
        const begin = at + 4;
        at = begin + batch.readUInt32LE(at);
        const body = piece(batch, begin, at);
        if (offset < wanted) continue;
        const seq = run.seq + number;
        const { attempt, submitted, finished, runSeconds } = run;
        const partition = partitions ? (key.length ? crc32c(key) : run.origin + seq) % partitions : undefined;
        found.push(
          new Result({
            ...{
              offset,
              id: prefix + seq,
              kind,
              project,
              state,
              attempt,
              isFinal,
              worker,
              submitted,
              finished,
              runSeconds,
            },
            ...{ body: decode(body), key: textOrBytes(key), partition },
          }),
        );
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Damaged(`the log's batch is malformed from offset ${offset} on`);
  }
  return found;
}

/** The head of a run of results; `bodies`: where they begin, `bytes`: how many they have. */
function runOf(batch, at) {
  const count = batch.readUInt32LE(at + 56);
  const sizes = [batch[at + 52], batch[at + 53], 32 * batch[at + 54], batch[at + 55]];
  const texts = [];
  let end = at + kRunBytes;
  for (const size of sizes) texts.push(piece(batch, end, (end += size)));
  return {
    origin: batch.readUInt32LE(at),
    seq: u64(batch, at + 4),
    attempt: batch.readUInt16LE(at + 24),
    state: kStates[batch[at + 26]] ?? 'unknown',
    isFinal: (batch[at + 27] & 1) === 1,
    isCopy: (batch[at + 27] & 8) !== 0,
    finished: new Date(Number(batch.readBigInt64LE(at + 28))),
    submitted: new Date(Number(batch.readBigInt64LE(at + 36))),
    runSeconds: Math.floor(u64(batch, at + 44) / 1000) / 1000,
    ...{ kind: textOrBytes(texts[0]), project: textOrBytes(texts[1]), key: texts[3] },
    ...{ count, bodies: end, bytes: batch.readUInt32LE(at + 60) },
  };
}

function piece(raw, begin, end) {
  if (end > raw.length) throw new RangeError('beyond its end');
  return raw.subarray(begin, end);
}

const kCrc32c = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit += 1) byte = (byte >>> 1) ^ (byte & 1 ? 0x82f63b78 : 0);
  return byte;
});

export function crc32c(raw) {
  let crc = 0xffffffff;
  for (const byte of raw) crc = (crc >>> 8) ^ kCrc32c[(crc ^ byte) & 255];
  return (crc ^ 0xffffffff) >>> 0;
}

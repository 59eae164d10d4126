// The frames between a worker and a runner (docs/runners.md, version 2).
import { Damaged } from './errors.js';
import { decode, encode } from './values.js';

export const kVersion = 2;
const kFrameBytesMax = 4 << 20;
const kHeadBytes = 5; // 1 + 4
const kNames = 'hello run cancel output done failed progress kind fetch fetched ping pong'.split(' ');

/** What a worker sends, and how many fields each has; what is behind them, and any other frame, is ignored. */
const kFieldsMin = { run: 8, cancel: 2, fetched: 3, ping: 1 };

export function frame(name, ...fields) {
  const payload = encode(fields);
  const head = Buffer.alloc(kHeadBytes);
  head[0] = kNames.indexOf(name) + 1;
  head.writeUInt32LE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** Puts frames together from the pieces that a socket gives. */
export class Reader {
  #rest = Buffer.alloc(0);

  /** Yields those that are whole now: [name, fields]. */
  *add(piece) {
    let raw = this.#rest.length ? Buffer.concat([this.#rest, piece]) : piece;
    while (raw.length >= kHeadBytes) {
      const name = kNames[raw[0] - 1];
      const end = kHeadBytes + raw.readUInt32LE(1);
      if (end > kHeadBytes + kFrameBytesMax)
        throw new Damaged(`a frame of ${end - kHeadBytes} bytes, limit ${kFrameBytesMax}`);
      if (end > raw.length) break;
      const payload = raw.subarray(kHeadBytes, end);
      raw = raw.subarray(end);
      if (!(name in kFieldsMin)) continue;
      const fields = decode(payload, 1);
      if (!Array.isArray(fields) || fields.length < kFieldsMin[name])
        throw new Damaged(`a frame ${name} has not its ${kFieldsMin[name]} fields`);
      yield [name, fields];
    }
    this.#rest = raw;
  }
}

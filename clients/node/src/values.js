// msgpack as JavaScript has it: whole numbers beyond 2^53 are BigInts, in both directions.
import { decode as unpack, encode as pack } from '@msgpack/msgpack';
import { isUtf8 } from 'node:buffer';

import { BadTask } from './errors.js';

export const kDepthMax = 32; // Of a task's arguments and a result's body.
const kAnswerLevels = 8; // What an answer adds to the values of others that are in it.
const kU32Max = 0xffffffff;

/** A value as msgpack; `undefined` members of objects are left out. */
export function encode(value) {
  try {
    return pack(value, { ignoreUndefined: true });
  } catch (error) {
    // The library takes BigInts only where it writes large numbers as floats: those become BigInts, too.
    if (!hasBigInt(value)) throw error;
    return pack(withBigInts(value), { ignoreUndefined: true, useBigInt64: true });
  }
}

/** The value, or the bytes if they are none, or nested deeper. */
export function decode(raw, depthMax = kDepthMax) {
  try {
    return withNumbers(unpack(raw, { useBigInt64: true, mapKeyConverter: String }), depthMax);
  } catch {
    return Buffer.from(raw);
  }
}

/** The value of an answer. */
export const decodeAnswer = (raw) => decode(raw, kDepthMax + kAnswerLevels);

/** The head of a message: flat, numbers and texts. */
export const head = (name, ...fields) => Buffer.from(encode([1, name, ...fields]));

/** The fields of a head; none that anybody waits for if it is malformed. */
export function fieldsOf(raw) {
  const fields = decode(raw, 1);
  return Array.isArray(fields) && fields.length > 2 ? fields : [1, '', 0];
}

/** Whether fields from 2 on are numbers that can be counted with. */
export const areNumbers = (fields, count) =>
  fields.length >= 2 + count &&
  fields.slice(2, 2 + count).every((each) => typeof each === 'number' || typeof each === 'bigint');

/** Text if it is UTF-8, else the bytes. */
export const textOrBytes = (raw) => (isUtf8(raw) ? raw.toString() : Buffer.from(raw));

/** Refuses what JSON has no word for, and the worker could not be told. */
export function checkPlain(value, place = '', depth = 0) {
  if (depth > kDepthMax) throw new BadTask(`${place}: nested deeper than ${kDepthMax}`);
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value))
        throw new BadTask(`${place || 'args'}: ${value} is no number that JSON has`);
      return;
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value)
        throw new BadTask(`${place || 'args'}: ${value} has more than 64 bits`);
      return;
    case 'function':
    case 'symbol':
      throw new BadTask(`${place || 'args'}: a ${typeof value} cannot be sent`);
    case 'object':
      if (value === null || ArrayBuffer.isView(value)) return;
      if (Array.isArray(value))
        return value.forEach((each, at) => checkPlain(each, `${place || 'args'}[${at}]`, depth + 1));
      if (![Object.prototype, null].includes(Object.getPrototypeOf(value)))
        throw new BadTask(`${place || 'args'}: a ${value.constructor?.name} has no word in JSON`);
      for (const [name, each] of Object.entries(value))
        checkPlain(each, place ? `${place}.${name}` : name, depth + 1);
  }
}

function hasBigInt(value) {
  if (typeof value === 'bigint') return true;
  return (
    typeof value === 'object' &&
    value !== null &&
    !ArrayBuffer.isView(value) &&
    Object.values(value).some(hasBigInt)
  );
}

const isTree = (value) => typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);

function withBigInts(value) {
  if (Number.isInteger(value) && Math.abs(value) > kU32Max && Number.isSafeInteger(value))
    return BigInt(value);
  if (Array.isArray(value)) return value.map(withBigInts);
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withBigInts(each)]));
}

/** In place: BigInts that are safe as numbers become numbers. */
function withNumbers(value, depthLeft) {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (!isTree(value) || Object.getPrototypeOf(value) === Date.prototype) return value;
  if (depthLeft === 0) throw new RangeError('too deep');
  for (const name of Object.keys(value)) {
    const each = value[name];
    if (typeof each === 'object' || typeof each === 'bigint') value[name] = withNumbers(each, depthLeft - 1);
  }
  return value;
}

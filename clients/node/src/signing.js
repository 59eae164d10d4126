// Who vouches for a command: its arguments with a signature of all the others (docs/commands.md).
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

import { BadTask } from './errors.js';
import { encode } from './values.js';

const kPurpose = Buffer.from('eole exec 1\n');
const kPrivate = Buffer.from('302e020100300506032b657004220420', 'hex'); // PKCS #8 before the key's 32 bytes.
const kKeyBytes = 32;

/** The arguments of an exec task with the signature of a key that `eole key make` made. */
export function signed(args, path) {
  const key = keyIn(path);
  const { signature: _, ...others } = args;
  const signature = sign(null, Buffer.concat([kPurpose, ...piecesOf(others)]), key);
  const half = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-kKeyBytes);
  return { ...others, signature: `${half.toString('hex')}:${signature.toString('hex')}` };
}

function keyIn(path) {
  let text;
  try {
    if (statSync(path).mode & 0o077) throw new BadTask(`${path}: others may read it (chmod 0600)`);
    text = readFileSync(path, 'utf8').split('\n')[0].trim();
  } catch (error) {
    throw error instanceof BadTask ? error : new BadTask(`${path}: cannot be read: ${error.code}`);
  }
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new BadTask(`${path}: is no key of eole key make`);
  return createPrivateKey({ key: Buffer.concat([kPrivate, Buffer.from(text, 'hex')]), format: 'der', type: 'pkcs8' });
}

/** As msgpack, members in the order of their names' bytes, which an object does not keep for names that are numbers. */
function piecesOf(value) {
  if (Array.isArray(value)) return [counted(value.length, 0x90, 0xdc), ...value.flatMap(piecesOf)];
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return [encode(Number(value))];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [encode(value)];
  const members = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([name, each]) => [Buffer.from(name), name, each])
    .sort(([a], [b]) => Buffer.compare(a, b));
  const pieces = members.flatMap(([, name, each]) => [encode(name), ...piecesOf(each)]);
  return [counted(members.length, 0x80, 0xde), ...pieces];
}

/** How many follow, in a list or a map. */
function counted(count, few, many) {
  if (count < 16) return Buffer.of(few | count);
  const head = Buffer.alloc(count < 1 << 16 ? 3 : 5);
  head[0] = count < 1 << 16 ? many : many + 1;
  head.writeUIntBE(count, 1, head.length - 1);
  return head;
}

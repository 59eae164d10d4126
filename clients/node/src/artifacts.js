// Files on their way to the sink, and commands that take one along.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { BadTask } from './errors.js';

const kPieceBytes = 1 << 20;

/** Makes bytes an artifact: their SHA-256, once they are durable. */
export async function store(connection, bytes) {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const put = async (at, piece) => {
    const [fields] = await connection.ask('artifacts', ['put_at'], 'put', [sha256, bytes.length, at], piece);
    return { have: fields[3], isWhole: fields[4] };
  };
  let { have, isWhole } = await put(0, ''); // What has it already?
  while (!isWhole) ({ have, isWhole } = await put(have, bytes.subarray(have, have + kPieceBytes)));
  return sha256;
}

/** The arguments of an exec task that runs this file, wherever it runs. */
export async function scriptArgs(connection, path, words, args) {
  for (const name of ['argv', 'cwd'])
    if (name in args) throw new BadTask(`script: ${name} is its own, a fresh directory and the file in it`);
  const name = basename(path);
  const sha256 = await store(connection, await readFile(path));
  return { ...args, argv: [`./${name}`, ...words], files: { ...args.files, [name]: sha256 } };
}

// The samples that every client reads (docs/protocol.md).
import { readFileSync } from 'node:fs';

const kSamples = new URL('../../../tests/golden/', import.meta.url);

export const golden = (name) =>
  Buffer.from(readFileSync(new URL(`${name}.hex`, kSamples), 'ascii').trim(), 'hex');

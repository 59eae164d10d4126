// Beside the program `eole` in EOLE_BIN; no cluster.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { signed } from '../src/signing.js';

test('a command is signed as `eole key sign` does', () => {
  const place = mkdtempSync(join(tmpdir(), 'eole-test-'));
  try {
    const [key, eole] = [join(place, 'mine.key'), join(process.env.EOLE_BIN, 'eole')];
    execFileSync(eole, ['key', 'make', key]);
    const env = { b: '2', 10: 'x', 9: 'y' };
    const args = { argv: Array(20).fill('ü'), env, depth: 3, stdin: 'x'.repeat(300), signature: 'old' };
    const told = JSON.parse(execFileSync(eole, ['key', 'sign', key], { input: JSON.stringify(args) }));
    assert.deepEqual(signed(args, key), told);
    assert.deepEqual(signed({ ...args, depth: 3n, cwd: undefined }, key).signature, told.signature);
    writeFileSync(key, `${readFileSync(key, 'utf8').trim()}\r\n`);
    assert.equal(signed(args, key).signature, told.signature);
    chmodSync(key, 0o644);
    assert.throws(() => signed(args, key), /others may read it/);
    writeFileSync(join(place, 'no.key'), 'no key', { mode: 0o600 });
    assert.throws(() => signed(args, join(place, 'no.key')), /is no key of eole key make/);
    assert.throws(() => signed(args, join(place, 'none')), /cannot be read: ENOENT/);
  } finally {
    rmSync(place, { recursive: true });
  }
});

// The types fit a program that uses them, and name what the package exports.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import * as eole from 'eole';

test('a program in TypeScript compiles, and what is no task does not', () => {
  const compiler = new URL('../node_modules/.bin/tsc', import.meta.url).pathname;
  const { stdout } = spawnSync(compiler, ['-p', new URL('.', import.meta.url).pathname], {
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
});

test('each export has a type', () => {
  const types = readFileSync(new URL('../src/index.d.ts', import.meta.url), 'utf8');
  for (const name of Object.keys(eole)) assert.match(types, new RegExp(`export (class|function) ${name}\\b`));
});

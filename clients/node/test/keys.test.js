// Against an encrypted cluster: with its own key, one that may only observe, and one that nobody knows.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NoAnswer, Refused } from 'eole';

import { using } from './using.js';

const { EOLE_OBSERVER, EOLE_STRANGER } = process.env;

test('over TCP it is CURVE', () =>
  using(async (cluster) =>
    assert.equal((await cluster.wait(await cluster.submit('echo', 'hello')))[0].value, 'hello'),
  ));

test('a key without the role is refused, and reads all the same', () =>
  using(async (observer) => {
    await assert.rejects(
      observer.submit('echo', 1),
      (error) => error instanceof Refused && /the ventilator: .*submit/.test(error.message),
    );
    const ids = await using((cluster) => cluster.submit('echo', [5]));
    assert.equal((await observer.wait(ids))[0].value, 5);
  }, EOLE_OBSERVER));

test('a key that nobody knows is told so at once', () =>
  using(async (stranger) => {
    const turnedAway = (error) => error instanceof NoAnswer && /may not connect/.test(error.message);
    await assert.rejects(stranger.status(), turnedAway);
    await assert.rejects(stranger.submit('echo', 1), turnedAway);
  }, EOLE_STRANGER));

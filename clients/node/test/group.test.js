// Groups of readers, against the cluster of EOLE_CLUSTER.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

import { BadTask, NotFound, Refused } from 'eole';

import { killed, until, using } from './using.js';

const numbers = (count) => Array.from({ length: count }, (_, n) => n);

async function groupsOf(cluster) {
  const found = [];
  for await (const each of cluster.groups.list()) found.push(each);
  return found;
}

/** The values of a group's next records, so many of them; the last one is committed. */
async function take(group, count) {
  const found = [];
  for await (const { value } of group) {
    if (found.push(value) < count) continue;
    await group.commit();
    break;
  }
  return found;
}

test('a cursor reads on where the last one committed, and a loop that was left sees its last record again', () =>
  using(async (cluster) => {
    await cluster.map('echo', ['of others'], { project: 'other' });
    await cluster.map('echo', numbers(10), { project: 'cursor', key: 'one by one' });
    const cursor = () => cluster.cursor('mine', 'earliest', { topic: 'cursor/#', timeout: 1 });
    assert.deepEqual(await take(await cursor(), 4), [0, 1, 2, 3]);
    const left = [];
    const failing = async () => {
      for await (const { value } of await cursor())
        if (left.push(value) === 3) throw new Error('in the loop');
    };
    await assert.rejects(failing, /in the loop/);
    assert.deepEqual(left, [4, 5, 6]);
    const rest = [];
    for await (const { value } of await cursor()) rest.push(value); // Until none comes for a second.
    assert.deepEqual(rest, [6, 7, 8, 9]);
    assert.deepEqual((await (await cursor())[Symbol.asyncIterator]().next()).done, true);
  }));

test('each record goes to one member, whichever is killed, and across a restart of the sink', () =>
  using(async (cluster) => {
    await cluster.groups.create('shared', 'latest', 4);
    const file = new URL('group_member.js', import.meta.url).pathname;
    const members = [fork(file, ['shared', 'first']), fork(file, ['shared', 'second'])];
    const seen = members.map(() => []);
    members.forEach((member, at) => member.on('message', (value) => seen[at].push(value)));
    const all = () => new Set(seen.flat());
    const isShared = ({ group, members: count, is_settled: isSettled }) =>
      group === 'shared' && count === 2 && isSettled;
    await until(async () => (await groupsOf(cluster)).some(isShared), 'two members');
    await cluster.map('echo', numbers(300), { project: 'shared' });
    await until(() => all().size === 300, 'all records');
    assert.ok(seen.every(({ length }) => length > 0));
    assert.equal(seen.flat().length, 300); // Nobody was killed yet.
    await killed(members[0].pid);
    const { sink } = await cluster.status();
    await killed(sink.pid);
    await cluster.map(
      'echo',
      numbers(300).map((n) => 300 + n),
      { project: 'shared' },
    );
    await until(() => all().size === 600, 'all records, those of the killed one too');
    members[1].send('end');
    assert.deepEqual(await once(members[1], 'exit'), [0, null]);
    assert.ok(seen.flat().length < 700); // Only what the killed one had not committed came twice.
    const rest = [];
    const group = await cluster.group('shared', { topic: 'shared/#', timeout: 1 });
    for await (const { value } of group) rest.push(value);
    assert.deepEqual(rest, []);
  }));

test('groups are listed, moved and deleted', () =>
  using(async (cluster) => {
    const [{ offset }] = await cluster.map('echo', ['moved'], { project: 'moved' });
    await cluster.groups.create('moved', 'latest', 2);
    await assert.rejects(cluster.groups.create('moved', 'latest', 3), Refused);
    await cluster.groups.move('moved', offset);
    assert.deepEqual(await take(await cluster.group('moved'), 1), ['moved']);
    await cluster.groups.move('moved', new Date(Date.now() + 60_000));
    assert.ok((await groupsOf(cluster)).some(({ group }) => group === 'moved'));
    await assert.rejects(cluster.groups.removeMember('moved', 'nobody'), NotFound);
    await cluster.groups.delete('moved');
    await assert.rejects(cluster.groups.delete('moved'), NotFound);
    await assert.rejects(take(await cluster.group('moved'), 1), Refused);
    await assert.rejects(cluster.group('moved', { commits: 'never' }), BadTask);
  }));

test('a closed group ends its loop, and a closed cluster is told to it', () =>
  using(async (cluster) => {
    const [first, second] = [await cluster.cursor('first'), await cluster.cursor('second')];
    const [ended, told] = [take(first, 1), assert.rejects(take(second, 1), /closed/)];
    await first.close();
    assert.deepEqual(await ended, []);
    cluster.close();
    await told;
  }));

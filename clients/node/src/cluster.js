import { setTimeout as sleep } from 'node:timers/promises';

import { scriptArgs } from './artifacts.js';
import { Connection } from './connection.js';
import { BadTask, Closed, Gone, NoAnswer, NotFound } from './errors.js';
import { Group } from './group.js';
import { Groups } from './groups.js';
import { Log, recordAt } from './log.js';
import { parseTaskId, rangesOf, taskIds } from './records.js';
import { Submitter, messagesOf } from './submission.js';

const kPatienceSeconds = 30;
const kHeadMs = 5000; // A submit waits for no longer to hear where the log ends …
const kSilentMs = 30_000; // … and does not ask again so soon.
const kTakeMs = 1000;
const kLookedUp = 64; // At a time.
const kTasksMax = 65536; // In one cancel.

/** A cluster, as a program sees it. Close it: its sockets keep the process alive. */
export class Cluster {
  #connection;
  #submitter;
  #log; // A promise: from where it was first needed on.
  #taking; // The one take() of the log that is under way.
  #silentUntil = 0;
  #own = new Set(); // Submitted or waited for here, and their results not handed out yet.
  #seen = new Map(); // Of these, the results that were read.

  /** path: the cluster or join file, else EOLE_CLUSTER, else the local one's. patience: seconds without any answer. */
  constructor(path = undefined, { patience = kPatienceSeconds } = {}) {
    this.#connection = new Connection(path, patience * 1000);
    this.#submitter = new Submitter(this.#connection);
    this.groups = new Groups(this.#connection);
  }

  close() {
    this.#connection.close();
    this.#submitter.close();
  }

  /** Submits a task, or one for each item of a list, and returns their ids once all are durable. */
  async submit(kind, args = null, words = {}) {
    const messages = [...messagesOf(kind, args, words)];
    const isFollowed = await this.#follow(); // From before it leaves, no result is missed.
    const keep = (ids) => isFollowed && ids.forEach((id) => this.#own.add(id));
    try {
      const ids = await this.#submitter.submit(messages, words.idempotency_key ?? '');
      keep(ids);
      return ids;
    } catch (error) {
      keep(error.ids ?? []);
      throw error;
    }
  }

  /** The results of tasks of these args, in their order. */
  async map(kind, args, words = {}) {
    if (!Array.isArray(args)) throw new BadTask('map: the args must be a list');
    return this.wait(await this.submit(kind, args, words));
  }

  /** The results of these tasks, in their order, once all have ended. */
  async wait(ids) {
    const found = new Map();
    for await (const result of this.results({ ids })) found.set(result.id, result);
    return ids.map((id) => found.get(id));
  }

  /** Yields each result as it comes, once and in the order of the log: of these ids, or of every task. */
  async *results({ ids, timeout = Infinity, since, offset, topic = '' } = {}) {
    if (ids === undefined || since !== undefined || offset !== undefined || topic) {
      yield* this.#past(ids && new Set(ids), timeout * 1000, since, offset, topic);
      return;
    }
    const wanted = new Set(ids);
    const log = await this.#live();
    await this.#lookUp([...wanted].filter((id) => !this.#own.has(id)));
    let until = Date.now() + timeout * 1000;
    while (wanted.size) {
      const [few, many] = wanted.size < this.#seen.size ? [wanted, this.#seen] : [this.#seen, wanted];
      for (const id of [...few.keys()].filter((each) => many.has(each))) {
        const result = this.#seen.get(id);
        wanted.delete(id);
        this.#own.delete(id);
        this.#seen.delete(id);
        yield result;
        until = Date.now() + timeout * 1000;
      }
      const left = until - Date.now();
      if (left <= 0 || !wanted.size) return;
      await this.#hear(log, Math.min(left, kTakeMs));
    }
  }

  /** Reads the log as a member of a group, of which each record goes to one member. create_from: makes it if need be. */
  async group(name, { create_from: from, partitions = 8, ...options } = {}) {
    if (from !== undefined) await this.groups.create(name, from, partitions);
    return new Group(this.#connection, name, options);
  }

  /** A group of one partition, made when it is not there: reads on where the last one with it committed. */
  cursor(name, start = 'latest', options = {}) {
    return this.group(name, { ...options, create_from: start, partitions: 1 });
  }

  /** How the task ended, or null as long as it has not; NotFound if there is no such task. */
  async result(id) {
    const task = parseTaskId(id);
    for (let look = 0; look < 2; look += 1) {
      // It may settle between the two questions.
      const view = await this.#connection.query('queries', 'result', task);
      if (view?.is_kept === false)
        throw new Gone(`${id}: settled, ${view.state}; its result is no longer kept`);
      if (view && view.state !== 'retrying') return recordAt(this.#connection, view.offset);
      if (await this.#connection.query('ventilator', 'task', task)) return null;
    }
    throw new NotFound(`${id}: no such task was accepted`);
  }

  /** The cluster's counts and roles; or what is known of one task. */
  async status(id = undefined) {
    const ask = (where, what, task) => this.#connection.query(where, what, task);
    if (id !== undefined) {
      const task = parseTaskId(id);
      const view = await ask('queries', 'result', task);
      if (view && view.state !== 'retrying') return view;
      const known = (await ask('ventilator', 'task', task)) ?? (await ask('queries', 'result', task));
      if (!known) throw new NotFound(`${id}: no such task was accepted`);
      return known;
    }
    const [ventilator, sink, workers] = await Promise.all([
      ...[ask('ventilator', 'status'), ask('queries', 'status'), ask('ventilator', 'workers')],
    ]);
    return { ventilator, sink, workers };
  }

  /** How many tasks of a project wait, run, and ended how. */
  async project(name) {
    const ask = (where) => this.#connection.query(where, 'project', [0, 0], { project: name });
    const [live, ended] = await Promise.all([ask('ventilator'), ask('queries')]);
    if (!live && !ended) throw new NotFound(`project ${name}: nothing is known of it`);
    return { ...live, ...ended };
  }

  /** Cancels tasks, queued or running: {id: 'cancelling' | 'settled' | 'unknown'}. results() tells how they end. */
  async cancel(ids) {
    const asked = new Set(ids);
    const found = {};
    for (const [origin, ranges] of rangesOf([...asked], kTasksMax)) {
      const answer = await this.#connection.answer('ventilator', 'cancel', [origin], ranges);
      for (const state of ['cancelling', 'settled', 'unknown']) {
        for (const [first, last] of answer[state])
          for (const id of taskIds(origin, first, last - first + 1)) if (asked.has(id)) found[id] = state;
      }
    }
    return found;
  }

  /** The arguments of an exec task that runs this file wherever it runs: it goes along, by its digest. */
  script(path, words = [], args = {}) {
    return scriptArgs(this.#connection, path, words, args);
  }

  // ---- Below: how.

  #live() {
    if (this.#connection.isClosed) throw new Closed('the cluster was closed');
    this.#log ??= this.#openLog();
    return this.#log;
  }

  async #openLog(patienceMs = undefined) {
    try {
      return await Log.open(this.#connection, { patienceMs });
    } catch (error) {
      this.#log = undefined; // The next one tries again.
      throw error;
    }
  }

  /** False if there is no sink: what is submitted then is looked up when its results are wanted. */
  async #follow() {
    if (!this.#log && Date.now() < this.#silentUntil) return false;
    try {
      this.#log ??= this.#openLog(Math.min(this.#connection.patienceMs, kHeadMs));
      (await this.#log).look();
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.#silentUntil = Date.now() + kSilentMs;
      return false;
    }
    return true;
  }

  async #lookUp(ids) {
    for (let at = 0; at < ids.length; at += kLookedUp) {
      const some = ids.slice(at, at + kLookedUp);
      for (const id of some) this.#own.add(id); // From here on it is also heard of.
      for (const result of await Promise.all(some.map((id) => this.result(id)))) {
        if (result) this.#keep(result);
      }
    }
  }

  #keep(result) {
    if (result.isFinal && this.#own.has(result.id)) this.#seen.set(result.id, result);
  }

  /** Whoever waits shares one look at the log. */
  async #hear(log, milliseconds) {
    this.#taking ??= log
      .take(kTakeMs)
      .then((found) => found.forEach((result) => this.#keep(result)))
      .finally(() => (this.#taking = undefined));
    const timer = new AbortController();
    try {
      await Promise.race([this.#taking, sleep(milliseconds, undefined, timer)]);
    } finally {
      timer.abort();
    }
  }

  async *#past(wanted, timeoutMs, since, offset, topic) {
    const from = since === undefined ? undefined : new Date(since);
    if (from) {
      const answer = await this.#connection.query('queries', 'offset_at', [0, 0], {
        unix_ms: from.getTime(),
      });
      offset = Math.max(offset ?? 0, answer.offset);
    }
    const log = await Log.open(this.#connection, { offset, pattern: topic });
    try {
      let until = Date.now() + timeoutMs;
      while (!wanted || wanted.size) {
        const left = until - Date.now();
        if (left <= 0) return;
        for (const result of await log.take(Math.min(left, kTakeMs))) {
          if (from && result.finished < from) continue;
          if (wanted && !(result.isFinal && wanted.delete(result.id))) continue;
          yield result;
          until = Date.now() + timeoutMs;
        }
      }
    } finally {
      log.close();
    }
  }
}

// Tasks on their way to the ventilator: packed, split into messages, sent again until answered.
import { randomBytes } from 'node:crypto';

import { kTurnedAway, sendNow } from './connection.js';
import { BadTask, Closed, EoleError, NoAnswer } from './errors.js';
import { Flights } from './flights.js';
import { taskIds } from './records.js';
import { checkPlain, encode, fieldsOf } from './values.js';
import { checkWords, classOf, conditionsOf, traceOf } from './words.js';

const kTaskBytesMax = 1 << 20; // One task's arguments.
const kPayloadBytesMax = 8 << 20; // One message; all tasks under a key are one.
const kTasksMax = 65536; // In one message.
const kMessageBytes = 1 << 20; // What a message holds if its tasks may come in several …
const kMessageTasks = 1024; // … and how many.
const kFlyingMessages = 64; // Unanswered: kept to be sent again.
const kFlyingBytes = 64 << 20;
const kLookMs = 100;

/** Yields the tasks as messages: {payload, count}. A list is one task for each of its items. */
export function* messagesOf(kind, args, words) {
  checkWords(words);
  const waitsFor = conditionsOf(words);
  const trace = traceOf(words);
  const taskClass = classOf(kind, words);
  const group = (specs) => ({ payload: groupOf(taskClass, waitsFor.length > 0, specs), count: specs.length });
  const tasks = Array.isArray(args) ? args : [args];
  const hasKey = Boolean(words.idempotency_key);
  const [tasksMax, bytesMax] = hasKey ? [kTasksMax, kPayloadBytesMax] : [kMessageTasks, kMessageBytes];
  // All are packed before anything leaves: a task that cannot be sent keeps the others from being accepted.
  const specs = tasks.map((task, at) => specOf(task, at, waitsFor, trace));
  const overhead = taskClass.length + 12; // 2 + 2 + 4 + 4
  let some = [];
  let bytes = overhead;
  for (const spec of specs) {
    if (some.length && (some.length === tasksMax || bytes + spec.length > bytesMax)) {
      if (hasKey)
        throw new BadTask(
          `submit with the key ${words.idempotency_key}: ${specs.length} tasks must fit one message, at most ${tasksMax} and ${bytesMax} bytes`,
        );
      yield group(some);
      [some, bytes] = [[], overhead];
    }
    some.push(spec);
    bytes += spec.length;
  }
  if (some.length) yield group(some);
}

function groupOf(taskClass, hasConditions, specs) {
  const front = Buffer.alloc(12);
  front.writeUInt16LE(taskClass.length, 0);
  front.writeUInt16LE(hasConditions ? 1 : 0, 2);
  front.writeUInt32LE(specs.length, 4);
  front.writeUInt32LE(
    specs.reduce((sum, each) => sum + each.length, 0),
    8,
  );
  return Buffer.concat([front, taskClass, ...specs]);
}

function specOf(task, at, waitsFor, trace) {
  let args;
  try {
    checkPlain(task);
    args = encode(task);
  } catch (error) {
    throw new BadTask(`submit: task ${at}: ${error.message}`);
  }
  if (args.length > kTaskBytesMax)
    throw new BadTask(`submit: task ${at}: its arguments have ${args.length} bytes, limit ${kTaskBytesMax}`);
  const hasConditions = waitsFor.length > 0;
  const front = Buffer.alloc(hasConditions ? 7 : 5);
  front[0] = (hasConditions ? 1 : 0) | (trace.length ? 2 : 0);
  front.writeUInt32LE(args.length, 1);
  if (hasConditions) front.writeUInt16LE(waitsFor.length, 5);
  return Buffer.concat([front, waitsFor, trace, args]);
}

/** A client's run at the ventilator: flights.js decides, here is the socket. */
export class Submitter {
  #socket;
  #flights;
  #isAway = false;
  #waiting = new Map(); // {resolve, reject} by request.
  #looking; // The timer, while something is unanswered.
  #room = []; // Who waits to send.

  constructor(connection) {
    this.#flights = new Flights(randomBytes(8).readBigUInt64LE(), connection.patienceMs);
    this.#socket = connection.dealer(
      'ventilator',
      (raw, payload) => this.#hear(fieldsOf(raw), payload),
      () => {
        this.#isAway = true;
        this.#endAll(this.#noAnswer());
      },
    );
    this.#socket.events.on('disconnect', () => this.#flights.onBroken());
    this.#socket.events.on('handshake', () => {
      this.#flights.onStanding(performance.now());
      this.#goOn();
    });
  }

  /** Sends messages; the ids of their tasks once all are durable. */
  async submit(messages, key = '') {
    const answers = [];
    let isRefused = false;
    for (const { payload, count } of messages) {
      while (this.#flights.size >= kFlyingMessages || this.#flights.bytes > kFlyingBytes) {
        await new Promise((resolve) => this.#room.push(resolve));
      }
      if (isRefused) break;
      const answer = this.#fly(payload, count, key);
      answer.catch(() => (isRefused = true));
      answers.push(answer);
    }
    const ended = await Promise.allSettled(answers);
    const ids = ended.flatMap(({ value }) => (value ? taskIds(...value) : []));
    const failed = ended.find(({ reason }) => reason);
    if (!failed) return ids;
    const error = failed.reason;
    throw error instanceof EoleError ? Object.assign(new error.constructor(error.message), { ids }) : error;
  }

  close() {
    this.#endAll(new Closed('the cluster was closed: whether what was not answered was accepted is not known'));
  }

  #fly(payload, count, key) {
    if (this.#isAway) return Promise.reject(this.#noAnswer());
    if (this.#socket.closed) return Promise.reject(new Closed('the cluster was closed'));
    const request = this.#flights.submit(payload, count, key, performance.now());
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      this.#goOn();
    });
  }

  #hear(fields, payload) {
    const [, name, number] = fields;
    if (name === 'refused') this.#flights.onRefused(fields, performance.now());
    else if (name === 'accepted') this.#flights.onAccepted(number, payload, performance.now());
    this.#goOn();
  }

  #endAll(error) {
    this.#flights.endAll(error);
    this.#goOn();
  }

  /** Says what is to be said, and tells what has ended. */
  #goOn() {
    for (const frames of this.#flights.out.splice(0)) sendNow(this.#socket, frames);
    for (const [request, cameTo] of this.#flights.ended.splice(0)) {
      const { resolve, reject } = this.#waiting.get(request);
      this.#waiting.delete(request);
      cameTo instanceof Error ? reject(cameTo) : resolve(cameTo);
      for (const goOn of this.#room.splice(0)) goOn();
    }
    if (this.#flights.size) {
      this.#looking ??= setInterval(() => this.#look(), kLookMs);
    } else {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
  }

  #look() {
    this.#flights.onDeadline(performance.now());
    this.#goOn();
  }

  #noAnswer = () => new NoAnswer(`no answer from the ventilator: ${kTurnedAway}`);
}

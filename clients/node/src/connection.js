// The sockets to a cluster, by its file, and questions over them.
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import * as zmq from 'zeromq';

import { BadClusterFile, Closed, NoAnswer, Refused } from './errors.js';
import { decodeAnswer, encode, fieldsOf, head } from './values.js';

export const kRepeatMs = 2000; // An unanswered message is sent again under its number: nothing happens twice.
export const kTurnedAway = "this key may not connect: it is not in the cluster's key table, or not any more";
const kLingerMs = 500;
const kNames = ['ventilator', 'queries', 'notifications', 'artifacts'];

/** The entries of a cluster file, all text: TOML with one `name = 'value'` a line. */
export function readClusterFile(path) {
  const bad = (why) => new BadClusterFile(`cluster file ${path}: ${why}`);
  let text;
  try {
    if (statSync(path).mode & 0o077) throw bad('others can read it, chmod it to 0600');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof BadClusterFile) throw error;
    throw bad(error.code === 'ENOENT' ? 'not there; `eole up` writes it' : `cannot be read: ${error.code}`);
  }
  const entries = {};
  text.split(/\r?\n/).forEach((line, at) => {
    if (/^\s*(#.*)?$/.test(line)) return;
    const match = /^\s*([\w-]+)\s*=\s*(?:'([^']*)'|"([^"\\]*)")\s*(?:#.*)?$/.exec(line);
    if (!match) throw bad(`line ${at + 1} is not name = 'value'`);
    entries[match[1]] = match[2] ?? match[3];
  });
  for (const [name, value] of Object.entries(entries)) {
    const isTcp = value.startsWith('tcp://');
    if (!isTcp && !value.startsWith('ipc://')) continue;
    if (isTcp !== 'server_key' in entries)
      throw bad(`${name} = ${value}: ${isTcp ? 'TCP needs keys' : 'ipc takes no keys'}`);
  }
  for (const name of kNames) if (!entries[name]) throw bad(`names no ${name}`);
  return entries;
}

/** The sockets of one Cluster, and what it asks over them. */
export class Connection {
  #path;
  #entries;
  #sockets = new Set();
  #asking = new Map();

  constructor(path, patienceMs) {
    const state = process.env.XDG_STATE_HOME || join(homedir(), '.local/state');
    this.#path = path ?? process.env.EOLE_CLUSTER ?? join(state, 'eole/cluster.toml');
    this.#entries = readClusterFile(this.#path);
    this.patienceMs = patienceMs;
    this.isClosed = false;
  }

  /** A socket to what the cluster file calls `name`; `watch` has it before it connects. */
  connect(Kind, name, options = {}, watch = () => {}) {
    if (this.isClosed) throw new Closed('the cluster was closed');
    const { server_key, public_key = '', secret_key = '' } = this.#entries;
    const keys = server_key && {
      curveServerKey: server_key,
      curvePublicKey: public_key,
      curveSecretKey: secret_key,
    };
    const socket = new Kind({ linger: kLingerMs, ...options });
    try {
      Object.assign(socket, keys);
      watch(socket);
      socket.connect(this.#entries[name]);
    } catch (error) {
      socket.close();
      throw new BadClusterFile(
        `cluster file ${this.#path}: ${name} = ${this.#entries[name]}, or a key: ${error.message}`,
      );
    }
    this.#sockets.add(socket);
    return socket;
  }

  /** A DEALER whose frames are handed to `hear`; `onAway` when its key is turned away, which is for ever. */
  dealer(name, hear, onAway) {
    // Sending never waits: without a way out it is dropped, and goes with the next repeat.
    const options = { sendHighWaterMark: 0, receiveHighWaterMark: 0, sendTimeout: 0 };
    // It is turned away once: who listens later does not hear of it.
    const watch = ({ events }) => events.on('handshake:error:auth', onAway);
    const socket = this.connect(zmq.Dealer, name, options, watch);
    pump(socket, hear);
    return socket;
  }

  disconnect(socket) {
    this.#sockets.delete(socket);
    socket.close();
  }

  close() {
    this.isClosed = true;
    for (const socket of this.#sockets) socket.close();
    for (const asker of this.#asking.values()) asker.end(new Closed('the cluster was closed'));
  }

  /** The answer to a query about nothing or a task, [origin, seq]. */
  query(where, what, task = [0, 0], options = undefined, patienceMs = this.patienceMs) {
    return this.answer(where, 'query', [what, ...task], options ? encode(options) : '', patienceMs);
  }

  /** The value that is the answer. */
  async answer(where, name, fields, payload = '', patienceMs = this.patienceMs) {
    return decodeAnswer((await this.ask(where, ['answer'], name, fields, payload, patienceMs))[1]);
  }

  /** One question: the fields and payload of its answer, which has one of the names in `wanted`. */
  ask(where, wanted, name, fields, payload = '', patienceMs = this.patienceMs) {
    if (!this.#asking.has(where)) this.#asking.set(where, new Asker(this, where));
    return this.#asking.get(where).ask(wanted, name, fields, payload, patienceMs);
  }
}

/** Hands what comes to `hear` until the socket is closed; what it throws ends the process, as any bug. */
export async function pump(socket, hear) {
  for await (const frames of socket) if (frames.length >= 2) hear(...frames);
}

/** Sends now or not at all. */
export function sendNow(socket, frames) {
  if (!socket.closed) socket.send(frames).catch(() => {});
}

/** The questions to one role that wait for their answers. */
class Asker {
  #who;
  #socket;
  #waiting = new Map();
  #number = 0;
  #isAway = false;

  constructor(connection, where) {
    this.#who = where === 'ventilator' ? 'ventilator' : 'sink';
    const hear = (raw, payload) => this.#hear(fieldsOf(raw), payload);
    this.#socket = connection.dealer(where, hear, () => {
      this.#isAway = true;
      this.end(this.#noAnswer());
    });
  }

  ask(wanted, name, fields, payload, patienceMs) {
    if (this.#socket.closed) throw new Closed('the cluster was closed');
    if (this.#isAway) throw this.#noAnswer();
    const number = (this.#number += 1);
    const frames = [head(name, number, ...fields), payload];
    return new Promise((resolve, reject) => {
      const repeat = setInterval(() => sendNow(this.#socket, frames), kRepeatMs);
      const giveUp = () => this.#settle(number).reject(NoAnswer.within(this.#who, patienceMs));
      this.#waiting.set(number, {
        wanted,
        resolve,
        reject,
        repeat,
        patience: setTimeout(giveUp, patienceMs),
      });
      sendNow(this.#socket, frames);
    });
  }

  end(error) {
    for (const number of [...this.#waiting.keys()]) this.#settle(number).reject(error);
  }

  #hear(fields, payload) {
    const [, name, number] = fields;
    if (name === 'refused' && number === 0) return this.end(this.#refused(fields));
    const { wanted } = this.#waiting.get(number) ?? {};
    if (!wanted) return; // The answer to a copy.
    if (name === 'refused') this.#settle(number).reject(this.#refused(fields));
    else if (wanted.includes(name)) this.#settle(number).resolve([fields, payload]);
  }

  #refused = (fields) => Refused.by(this.#who, fields);
  #noAnswer = () => new NoAnswer(`no answer from the ${this.#who}: ${kTurnedAway}`);

  #settle(number) {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    clearInterval(waiting.repeat);
    clearTimeout(waiting.patience);
    return waiting;
  }
}

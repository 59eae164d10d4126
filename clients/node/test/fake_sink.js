// A sink that is none, with a ventilator: they say what a test gives them.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as zmq from 'zeromq';

import { pump } from '../src/connection.js';
import { encode, fieldsOf, head } from '../src/values.js';

/** A batch of results of the tasks `first` + 1 … without a key, one result a run. */
export function batchOf(first, count) {
  const front = Buffer.alloc(36);
  front.writeBigUInt64LE(BigInt(first), 0);
  front.writeUInt32LE(count, 24);
  front.writeUInt16LE(2, 28);
  front.write('w1', 34);
  return Buffer.concat([front, ...Array.from({ length: count }, (_, at) => runOf(first + at))]);
}

function runOf(offset) {
  const run = Buffer.alloc(68);
  run.writeBigUInt64LE(BigInt(offset + 1), 4);
  run[26] = run[27] = 1; // Done, and final.
  run[52] = 4;
  run.writeUInt32LE(1, 56);
  run.writeUInt32LE(4, 60);
  run.write('echo', 64);
  return Buffer.concat([run, Buffer.from([0, 0, 0, 0])]);
}

export class FakeSink {
  log = 1;
  head = 0;
  reads = [];

  static async serve(run) {
    const sink = new FakeSink();
    const directory = mkdtempSync(join(tmpdir(), 'eole-test-'));
    sink.path = join(directory, 'cluster.toml');
    const names = ['ventilator', 'queries', 'notifications', 'artifacts'];
    writeFileSync(sink.path, names.map((name) => `${name} = 'ipc://${directory}/${name}'\n`).join(''));
    chmodSync(sink.path, 0o600);
    sink.queries = new zmq.Router({ linger: 0 });
    sink.ventilator = new zmq.Router({ linger: 0 });
    sink.publisher = new zmq.Publisher({ linger: 0 });
    await sink.queries.bind(`ipc://${directory}/queries`);
    await sink.publisher.bind(`ipc://${directory}/notifications`);
    await sink.ventilator.bind(`ipc://${directory}/ventilator`);
    const serve = (socket, answer) =>
      pump(socket, (peer, raw) => {
        const frames = answer(fieldsOf(raw));
        if (frames) socket.send([peer, ...frames]);
      });
    serve(sink.queries, (fields) => sink.answer(fields));
    serve(sink.ventilator, (fields) => sink.accept(fields));
    try {
      await run(sink);
    } finally {
      sink.queries.close();
      sink.ventilator.close();
      sink.publisher.close();
      rmSync(directory, { recursive: true });
    }
  }

  /** Of the ventilator: nothing is said to a submit. */
  accept() {}

  /** Head and payload, or nothing. */
  answer([, name, request, log, offset]) {
    if (name === 'query') {
      return [
        head('answer', request),
        encode({ log: this.log.toString(16).padStart(16, '0'), head: this.head }),
      ];
    }
    this.reads.push(offset);
    if (log !== 0 && log !== this.log) return [head('refused', request, 'another log'), ''];
    const batch = offset < this.head ? this.batch(offset) : undefined;
    const size = Buffer.alloc(4);
    size.writeUInt32LE(batch?.length ?? 0);
    return [this.records(request), batch ? Buffer.concat([size, batch]) : ''];
  }

  records = (request) => head('records', request, this.log, this.head, this.head, 0);
  batch = (offset) => batchOf(offset, this.head - offset);

  tell(first, count) {
    return this.publisher.send(['result.', head('notification', this.log), batchOf(first, count)]);
  }

  tellHead() {
    return this.publisher.send(['head', head('log_head', this.log, this.head), '']);
  }
}

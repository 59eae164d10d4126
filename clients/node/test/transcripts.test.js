// The cores answer what the C++ client's do: tests/golden/transcripts, step by step.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { Refused } from '../src/errors.js';
import { Flights } from '../src/flights.js';
import { Following } from '../src/following.js';
import { Member } from '../src/member.js';
import { openBatch } from '../src/records.js';
import { topics } from '../src/topics.js';
import { fieldsOf } from '../src/values.js';
import { batchOf } from './fake_sink.js';

const kTranscripts = new URL('../../../tests/golden/transcripts/', import.meta.url);
const kPatienceMs = 30_000;

/** A member of a group, and what goes through its pieces. */
class Group {
  member = new Member('g', 7, 'me', 0, kPatienceMs);
  #records = [];
  #piece;
  #drops = 0;

  hear(fields, payload, now) {
    const [, name, ...numbers] = fields;
    const { member } = this;
    const hear = {
      attending: () => member.onAttending(...numbers, payload, now),
      records: () => member.onRecords(numbers[0], numbers[2], numbers[3], payload, now),
      gone: () => member.onGone(numbers[0], numbers[3], numbers[4], now),
      log_head: () => member.onGrown(numbers[0], numbers[1], now),
      refused: () => member.end(Refused.by('sink', fields)),
    };
    hear[name]();
  }

  do(name, { most }, now) {
    if (name === 'take') return { finds: [...this.#take(most, now)] };
    if (name !== 'wait') this.member[name === 'let_go' ? 'letGo' : name](now);
    return {};
  }

  *#take(most, now) {
    const { member } = this;
    for (let found = 0; found < most;) {
      if (this.#drops !== member.drops)
        [this.#drops, this.#records, this.#piece] = [member.drops, [], undefined];
      if (this.#records.length) {
        const record = this.#records.shift();
        if (!member.takes(record)) continue;
        found += 1;
        yield record.offset;
      } else if (this.#piece) {
        const piece = this.#piece;
        this.#piece = undefined;
        member.wentTo(piece.next);
        member.endPiece(piece.batch?.length ?? 0, now);
      } else if (!member.pieces.length) {
        return;
      } else {
        const piece = member.pieces.shift();
        if (piece.lost) {
          member.wentTo(piece.next);
          found += 1;
          yield `gone ${piece.lost.join('-')}`;
          continue;
        }
        this.#piece = piece;
        this.#records = piece.batch ? openBatch(piece.batch, 0, { partitions: member.count }) : [];
      }
    }
  }

  end(now) {
    const { member } = this;
    member.onDeadline(now);
    const [says, wasOver] = [member.out.splice(0), this.isOver];
    this.isOver = member.isOver;
    const error = wasOver ? undefined : member.takeError()?.message;
    const holds = {
      sure: member.mayHandOut(now),
      'to let go': member.isToLetGo(),
      committed: member.isCommitted(),
      left: member.hasLeft,
      over: member.isOver,
    };
    const is = Object.keys(holds).filter((name) => holds[name]);
    return { says, is, ...(error && { error }) };
  }
}

/** A client's run at the ventilator. */
class Submit {
  #flights = new Flights(7, kPatienceMs);

  hear(fields, payload, now) {
    const [, name, origin] = fields;
    if (name === 'accepted') this.#flights.onAccepted(origin, payload, now);
    else this.#flights.onRefused(fields, now);
  }

  do(name, { tasks }, now) {
    if (name === 'submit') this.#flights.submit(Buffer.from(tasks[2], 'hex'), tasks[0], tasks[1], now);
    if (name === 'break') this.#flights.onBroken();
    if (name === 'stand') this.#flights.onStanding(now);
    return {};
  }

  end(now) {
    this.#flights.onDeadline(now);
    const { out, ended, size } = this.#flights;
    const ends = ended
      .splice(0)
      .map(([request, cameTo]) => [request, ...(cameTo instanceof Error ? [cameTo.message] : cameTo)]);
    return { says: out.splice(0), ends, is: size ? [] : ['idle'] };
  }
}

/** A reader of the log. */
class Read {
  #core;
  #wanted;
  #wants;

  hear(message, payload, now) {
    const [, name, ...fields] = message;
    const core = this.#core;
    const hear = {
      notification: () => core.onNotification(fields[0], payload, now),
      log_head: () => core.onGrown(...fields.slice(0, 2), now),
      records: () => core.onRecords(fields, payload, now),
      gone: () => core.onGone(fields[0], fields[3]),
      refused: () => core.onRefused(message),
    };
    hear[name]();
  }

  do(name, { from, pattern }, now) {
    if (name !== 'open') return {};
    const [log, offset] = from;
    this.#wanted = offset;
    this.#wants = pattern && topics(pattern);
    this.#core = new Following({ log, offset, pattern }, now, kPatienceMs);
    return {};
  }

  end(now) {
    const core = this.#core;
    core.onDeadline(now);
    const finds = core.batches.splice(0).flatMap((batch) => openBatch(batch, this.#wanted, { wants: this.#wants }));
    const told = { says: core.out.splice(0), finds: finds.map(({ offset }) => offset), behind: core.offset };
    const error = this.isOver ? undefined : core.takeError()?.message;
    this.isOver = core.isOver;
    return { ...told, is: core.isOver ? ['over'] : core.isOpen ? ['open'] : [], ...(error && { error }) };
  }
}

test('what was published behind a gap is taken in its order and looked through once', () => {
  const core = new Following({ offset: 0 }, 0, kPatienceMs);
  core.onRecords([1, 7, 0, 0, 0], Buffer.alloc(0), 0);
  const batches = Array.from({ length: 40_000 }, (_, offset) => batchOf(offset, 1));
  for (const batch of [...batches.slice(1), ...batches.slice(1, 9)]) core.onNotification(7, batch, 0); // Some come twice.
  const start = process.cpuUsage();
  core.onNotification(7, batches[0], 0);
  assert.ok(core.batches.length === batches.length && core.batches.every((batch, at) => batch === batches[at]));
  assert.ok(process.cpuUsage(start).user < 4e6); // By the square it takes half a minute.
});

const kinds = { group: Group, submit: Submit, read: Read };

for (const file of readdirSync(kTranscripts)) {
  const Kind = kinds[file.split('_')[0]];
  test(`as in ${file}`, () => {
    const played = new Kind();
    const lines = readFileSync(new URL(file, kTranscripts), 'utf8').trim().split('\n');
    lines.forEach((line, number) => {
      const { at: now, hears, does, most, tasks, from, pattern, ...expected } = JSON.parse(line);
      const seen = hears
        ? void played.hear(hears[0], Buffer.from(hears[1], 'hex'), now)
        : played.do(does, { most, tasks, from, pattern }, now);
      const { says, ...more } = played.end(now);
      const said = says.map(([raw, payload]) => [fieldsOf(raw), Buffer.from(payload).toString('hex')]);
      assert.deepEqual({ ...seen, says: said, ...more }, expected, `${file}:${number + 1}: ${line.slice(0, 120)}`);
    });
  });
}

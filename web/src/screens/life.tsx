import { clock, now, seconds, stateWord, unix } from '../parts/shown';
import { w } from '../settings';
import { kSettled, type Task } from '../types';

interface Stretch {
  name: string;
  state: string;
  from: number;
  to: number;
}

/** The life of a task on one axis: waits, then each attempt, until the log told of its end. */
export function Life({ task }: { task: Task }) {
  const stretches = stretchesOf(task);
  const first = stretches[0];
  const last = stretches.at(-1);
  if (!first || !last) return null;
  const whole = Math.max(last.to - first.from, 1);
  const place = (ms: number) => ((ms - first.from) / whole) * 1000;
  const isOver = kSettled.includes(task.state);
  return (
    <figure class="life">
      <svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label={said(stretches)}>
        {stretches.map((each, at) => (
          <rect
            key={at}
            class={`is-${each.state}`}
            x={place(each.from)}
            width={Math.max(place(each.to) - place(each.from), 3)}
            y={each.state === 'queued' || each.state === 'waiting' ? 7 : 2}
            height={each.state === 'queued' || each.state === 'waiting' ? 6 : 16}
          >
            <title>{`${each.name}: ${seconds((each.to - each.from) / 1000)}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption>
        <ol class="stations">
          {stations(task, stretches, isOver).map(([name, text]) => (
            <li key={name} class={text === '' ? 'soft' : ''}>
              <span class="strong">{name}</span>
              <span>{text || '–'}</span>
            </li>
          ))}
        </ol>
      </figcaption>
    </figure>
  );
}

function stretchesOf(task: Task): Stretch[] {
  const out: Stretch[] = [];
  const submitted = unix(task.submitted) ?? firstBegin(task);
  if (submitted === null) return [];
  let at = submitted;
  const isOver = kSettled.includes(task.state);
  for (const each of task.attempts ?? []) {
    const end = unix(each.finished);
    const ran = (each.run_seconds ?? 0) * 1000;
    const begin = unix(each.began) ?? (end === null ? null : end - ran);
    if (begin === null || !each.worker) continue;
    if (begin > at) out.push({ name: stateWord('queued'), state: 'queued', from: at, to: begin });
    const to = end ?? (isOver ? begin : now.value);
    out.push({
      name: w().attempt(each.attempt),
      state: each.state === 'lost' ? 'lost' : each.state,
      from: Math.max(begin, at),
      to,
    });
    at = Math.max(at, to);
  }
  const ended = unix(task.finished);
  if (!isOver && out.at(-1)?.state !== 'running') {
    const state =
      task.state === 'running' ? 'running' : task.state === 'waiting' ? 'waiting' : 'queued';
    out.push({ name: stateWord(state), state, from: at, to: Math.max(now.value, at) });
  } else if (ended !== null && out.length === 0) {
    out.push({ name: stateWord(task.state), state: task.state, from: at, to: Math.max(ended, at) });
  }
  return out;
}

// Of what the log alone tells of, the time of its submit is not known.
function firstBegin(task: Task): number | null {
  const first = task.attempts?.[0];
  const ended = unix(first?.finished);
  return ended === null ? null : ended - (first?.run_seconds ?? 0) * 1000;
}

const said = (all: Stretch[]) =>
  all.map((each) => `${each.name} ${seconds((each.to - each.from) / 1000)}`).join(', ');

// Submitted → journal → worker → log → told: when each had it.
function stations(task: Task, stretches: Stretch[], isOver: boolean): [string, string][] {
  const at = (ms: number | null | undefined) => (ms === null || ms === undefined ? '' : clock(ms));
  const submitted = unix(task.submitted);
  const ran = stretches.filter((each) => each.state !== 'queued' && each.state !== 'waiting');
  const worker =
    [...(task.attempts ?? [])].reverse().find((each) => each.worker)?.worker ?? task.worker ?? '';
  const ended = unix(task.finished) ?? unix(task.attempts?.at(-1)?.finished);
  const began = ran.at(-1)?.from;
  return [
    [w().stations.submitted, at(submitted)],
    [w().stations.journal, w().durable], // Or it would have no id.
    [
      w().stations.worker,
      worker === '' ? '' : `${worker}${began === undefined ? '' : `, ${at(began)}`}`,
    ],
    [
      w().stations.log,
      isOver ? (task.offset === undefined ? at(ended) : w().offset(task.offset)) : '',
    ],
    [w().stations.told, isOver ? at(ended) : ''],
  ];
}

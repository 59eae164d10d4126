import { clock, now, seconds, Shape, stateWord, unix } from '../parts/shown';
import { w } from '../settings';
import { kSettled, type Task } from '../types';

interface Stretch {
  name: string;
  attempt: number; // Whose row it is in.
  state: string;
  from: number;
  to: number;
}

const kRowPx = 20;
const kRowsMax = 20; // Attempts, the last ones.
const kSaidMax = 6;
const kParts = [0, 0.25, 0.5, 0.75, 1];

/** The life of a task on one axis: waits, then each attempt, until the log told of its end. */
export function Life({ task }: { task: Task }) {
  const stretches = stretchesOf(task);
  const first = stretches[0];
  const last = stretches.at(-1);
  if (!first || !last) return null;
  const whole = Math.max(last.to - first.from, 1);
  const place = (ms: number) => ((ms - first.from) / whole) * 1000;
  const isOver = kSettled.includes(task.state);
  const rows = [...new Set(stretches.map((each) => each.attempt))].slice(-kRowsMax);
  const height = rows.length * kRowPx;
  return (
    <figure class="life">
      <svg
        viewBox={`0 0 1000 ${height}`}
        style={{ height: `${height}px` }}
        preserveAspectRatio="none"
        role="img"
        aria-label={said(stretches)}
      >
        {kParts.map((part) => (
          <path key={part} class="grid-line" d={`M${part * 1000} 0V${height}`} />
        ))}
        {stretches.map((each, at) => {
          const isWait = each.state === 'queued' || each.state === 'waiting';
          const row = rows.indexOf(each.attempt);
          return (
            row >= 0 && (
              <rect
                key={at}
                class={`is-${each.state}`}
                x={Math.min(place(each.from), 997)}
                width={Math.max(place(each.to) - place(each.from), 3)}
                y={row * kRowPx + (isWait ? 8 : 3)}
                height={isWait ? 4 : 14}
              >
                <title>{`${each.name}: ${seconds((each.to - each.from) / 1000)}`}</title>
              </rect>
            )
          );
        })}
      </svg>
      <div class="axis" aria-hidden="true">
        {kParts.map((part) => (
          <span key={part}>
            {part === 0 ? clock(first.from) : `+${seconds((whole * part) / 1000)}`}
          </span>
        ))}
      </div>
      <ul class="legend-list">
        {[...stretches]
          .reverse()
          .slice(0, kSaidMax)
          .map((each, at) => (
            <li key={at} class="mark">
              <Shape state={each.state} /> {each.name}{' '}
              <span class="soft">{seconds((each.to - each.from) / 1000)}</span>
            </li>
          ))}
      </ul>
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
  const submitted = unix(task.submitted);
  if (submitted === null) return [];
  let at = submitted;
  const isOver = kSettled.includes(task.state);
  let isAfterLoss = false;
  for (const each of task.attempts ?? []) {
    const end = unix(each.finished);
    const ran = (each.run_seconds ?? 0) * 1000;
    const begin = unix(each.began) ?? (end === null ? null : end - ran);
    if (each.state === 'lost') isAfterLoss = true; // Nobody told when.
    if (begin === null || !each.worker) continue;
    const attempt = each.attempt;
    if (begin > at)
      out.push(
        isAfterLoss
          ? { name: w().lostBefore, attempt: attempt - 1, state: 'lost', from: at, to: begin }
          : { name: stateWord('queued'), attempt, state: 'queued', from: at, to: begin },
      );
    isAfterLoss = false;
    const to = end ?? (isOver ? begin : now.value);
    out.push({
      name: w().attempt(each.attempt),
      attempt,
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
    const attempt = Math.max(task.attempt ?? 1, (out.at(-1)?.attempt ?? 0) + 1);
    out.push({ name: stateWord(state), attempt, state, from: at, to: Math.max(now.value, at) });
  } else if (ended !== null && out.length === 0) {
    out.push({
      name: stateWord(task.state),
      attempt: 0,
      state: task.state,
      from: at,
      to: Math.max(ended, at),
    });
  }
  return out;
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

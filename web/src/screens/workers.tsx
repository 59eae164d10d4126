import { status, useAsked } from '../asked';
import { growth } from '../growth';
import { Listed, Screen } from '../parts/frame';
import { Ago, bytes, coarse, now, number, seconds, Shape, unix } from '../parts/shown';
import { Act, act, copy, tell } from '../parts/told';
import { w } from '../settings';
import type { Row, Worker } from '../types';
import { LastWords } from './logs';
import { seesAll } from '../who';

// Those that were here while this page is open, and when they were last seen.
const seen = new Map<string, number>();
const kLeftMs = 600_000;
const kStart = 'worker --cluster cluster.toml --slots 8';

const keyOf = (worker: Worker) => `${worker.name}/${worker.pid}`;

function left(list: Worker[]): [string, number][] {
  const at = Date.now();
  for (const each of list) seen.set(each.name, at);
  for (const [name, last] of seen) if (at - last > kLeftMs) seen.delete(name);
  return [...seen].filter(([name]) => !list.some((each) => each.name === name));
}

/** Those that went, with what they said last. */
function Left({ list }: { list: Worker[] }) {
  return (
    <>
      {left(list).map(([name, last]) => (
        <li key={name} class="letter-head">
          <Shape state="lost" /> <strong>{name}</strong>
          <span class="soft">
            {w().leftAt} <Ago when={last} />
          </span>
          <LastWords role="worker" name={name} isAway />
        </li>
      ))}
    </>
  );
}

/** Each worker with its slots, and the task in each. */
export function Workers() {
  const answer = useAsked<unknown>('/workers');
  const running = useAsked<{ tasks: Row[] }>('/tasks?state=running&limit=1000');
  const tasks = running.data?.tasks ?? [];
  const gone = status.value?.ventilator?.workers_left;
  return (
    <Screen
      title={w().workers}
      aside={
        <>
          {gone !== undefined && gone > 0 && (
            <span class="soft">{w().leftToday(number(gone))}</span>
          )}
          <button class="plain" onClick={() => copy(kStart)}>
            {w().copyStart}
          </button>
        </>
      }
    >
      <Listed<Worker>
        answer={answer}
        name="workers"
        empty={
          <>
            <p>{w().noWorkers}</p>
            <pre>{kStart}</pre>
            <ul class="workers">
              <Left list={[]} />
            </ul>
          </>
        }
      >
        {(list) => (
          <ul class="workers">
            {list.map((each) => (
              <One
                key={keyOf(each)}
                worker={each}
                tasks={tasks.filter((row) => row.worker === each.name)}
              />
            ))}
            <Left list={list} />
          </ul>
        )}
      </Listed>
    </Screen>
  );
}

/** How long it has been there. */
function For({ since }: { since: Row['began'] }) {
  const ms = unix(since);
  return ms === null ? null : <time>{coarse(Math.max(0, (now.value - ms) / 1000))}</time>;
}

const kSlotsShown = 128;
const kShapes: Record<string, 'done' | 'waiting' | 'lost'> = { ready: 'done', draining: 'waiting' };

const perSecond = (rate: number) => (rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate));

function stateOf(worker: Worker, isPaused: boolean): string {
  if (worker.state === 'draining') return w().draining;
  if (worker.state === 'suspect') return w().suspect;
  return isPaused ? w().paused : w().ready;
}

function One({ worker, tasks }: { worker: Worker; tasks: Row[] }) {
  const scope = `worker:${worker.name}`;
  const isPaused = worker.paused || (status.value?.ventilator?.paused ?? []).includes(scope);
  const drain = async () => {
    if (await act('POST', '/pause', { scope })) tell(w().pausedNow(worker.name));
  };
  const resume = async () => {
    if (await act('POST', '/resume', { scope })) tell(w().resumedNow(worker.name));
  };
  const slots = Math.min(worker.slots, kSlotsShown);
  const resources = Object.entries(worker.resources ?? {}).map(
    ([name, { all, free }]) =>
      `${name} ${name === 'mem' ? `${bytes(free)} / ${bytes(all)}` : `${number(free)} / ${number(all)}`}`,
  );
  const rate = growth(keyOf(worker), worker.ended);
  const program = [
    worker.host && w().onHost(worker.host),
    worker.version && w().version(worker.version),
    worker.prefetch !== undefined && w().prefetch(worker.prefetch),
    worker.restarts && w().startedAgain(worker.restarts),
  ].filter((each) => typeof each === 'string' && each !== '');
  const labels = Object.entries(worker.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return (
    <li>
      <div class="letter-head">
        <Shape state={kShapes[worker.state] ?? 'lost'} />
        <strong>{worker.name}</strong>
        <span class="soft">
          {stateOf(worker, isPaused)}
          {worker.pid !== undefined && ` · ${w().process(worker.pid)}`}
        </span>
        <span class="figures-in">
          {w().slotsBusy(Math.min(tasks.length, worker.slots), worker.slots)}
        </span>
        {worker.silent_ms !== undefined && (
          <span class="soft">{w().heardAgo(seconds(worker.silent_ms / 1000))}</span>
        )}
        {rate !== null && <span class="figures-in">{w().perSecond(number(perSecond(rate)))}</span>}
        {worker.held > tasks.length && <span class="soft">{w().held(number(worker.held))}</span>}
        <span class="acts">
          {!seesAll() ? null : isPaused ? (
            <Act needs="admin" says={w().acts.resume} of={worker.name} onClick={resume} />
          ) : (
            <Act needs="admin" says={w().drain} of={worker.name} onClick={drain} />
          )}
          <Act
            class="plain"
            needs="admin"
            says={w().copyShell}
            onClick={() => copy(`eole drain ${scope} --wait`)}
          />
        </span>
      </div>
      {worker.state === 'suspect' && <LastWords role="worker" name={worker.name} isAway />}
      <ul class="slots" aria-label={w().slotsOf(worker.name)}>
        {Array.from({ length: slots }, (_, at) => {
          const task = tasks[at];
          return (
            <li key={at}>
              {task ? (
                <a class="slot is-busy" href={`/tasks/${task.id}`}>
                  <Shape state="running" />
                  <span class="mono">{task.id}</span> {task.kind}{' '}
                  <For since={task.began ?? task.submitted} />
                </a>
              ) : (
                <span class="slot">{w().idle}</span>
              )}
            </li>
          );
        })}
        {worker.slots > slots && <li class="soft">{w().more(worker.slots - slots)}</li>}
      </ul>
      <p class="soft">{program.join(' · ')}</p>
      <p class="soft">
        {worker.kinds.split(',').join(', ')}
        {labels.length > 0 && ` · ${labels.join(', ')}`}
        {resources.length > 0 && ` · ${resources.join(', ')}`}
      </p>
    </li>
  );
}

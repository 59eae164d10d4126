import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { address, call } from '../api';
import { pulse } from '../live';
import { Boards } from '../parts/boards';
import { Field, Screen } from '../parts/frame';
import { projectAt } from '../parts/links';
import { number, seconds, unix } from '../parts/shown';
import { act } from '../parts/told';
import { ask, query } from '../router';
import { knowsEole, w } from '../settings';
import type { Json, Row, Task } from '../types';
import { may, who } from '../who';

interface Part {
  id: string;
  state: string;
  solutions: number | null;
  began?: number;
  ended?: number;
}

const kLeast = 5;
const kMost = 16;

/** N-queens over the workers: a field for each way to begin, filled as the parts come in. */
export function Queens() {
  const project = query.value.get('run') ?? '';
  const n = Number(query.value.get('n') ?? 12);
  const wish = useSignal(n);
  const start = async (event: Event) => {
    event.preventDefault();
    const name = `${who.value?.prefix ?? ''}queens-${wish.value}-${Date.now().toString(36)}`;
    const tasks = prefixes(wish.value).map((prefix) => ({
      kind: 'nqueens',
      project: name,
      args: { n: wish.value, prefix, show: 1 },
    }));
    if (!(await act('POST', '/task', tasks))) return;
    knowsEole.value = true;
    ask({ run: name, n: String(wish.value) });
  };
  return (
    <Screen title={w().queens}>
      <p>{w().queensAre}</p>
      {may('submit') && (
        <form class="inline" onSubmit={start}>
          <Field id="n" label={w().queensN}>
            <input
              id="n"
              type="number"
              min={kLeast}
              max={kMost}
              value={wish.value}
              onInput={(event) => (wish.value = Number(event.currentTarget.value))}
            />
          </Field>
          <button class="main">{w().queensStart(prefixes(wish.value).length)}</button>
        </form>
      )}
      {project !== '' && <Board key={project} n={n} project={project} />}
    </Screen>
  );
}

function prefixes(n: number): number[][] {
  const out: number[][] = [];
  if (!(n >= kLeast && n <= kMost)) return out;
  for (let first = 0; first < n; first += 1) {
    for (let second = 0; second < n; second += 1)
      if (Math.abs(first - second) > 1) out.push([first, second]);
  }
  return out;
}

function Board({ n, project }: { n: number; project: string }) {
  const parts = useSignal<Part[]>([]);
  const all = prefixes(n);
  useEffect(() => {
    let isGone = false;
    let isBusy = false;
    const read = async () => {
      if (
        isBusy ||
        (parts.peek().length > 0 && parts.peek().every((part) => part.solutions !== null))
      )
        return;
      isBusy = true;
      const next = await partsOf(project, all.length, parts.peek()).catch(() => null);
      isBusy = false;
      if (isGone || !next) return;
      parts.value = next;
    };
    const stop = pulse.subscribe(() => void read());
    const timer = setInterval(() => void read(), 1000);
    return () => {
      isGone = true;
      clearInterval(timer);
      stop();
    };
  }, [project]);

  // Tasks are numbered in the order in which they were submitted: that of the prefixes.
  const byField = new Map(all.map((prefix, at) => [`${prefix[0]} ${prefix[1]}`, parts.value[at]]));
  const came = parts.value.filter((part) => part.solutions !== null);
  const sum = came.reduce((total, part) => total + (part.solutions ?? 0), 0);
  const most = Math.max(1, ...came.map((part) => part.solutions ?? 0));
  // One of the solutions, of the first part in order that has any.
  const solved = came.find((part) => part.solutions)?.id;
  const found = useSignal<Json[]>([]);
  useEffect(() => {
    if (solved)
      void boardsOf(solved).then(
        (boards) => (found.value = boards),
        () => undefined,
      );
  }, [solved]);
  return (
    <>
      <p class="headline" aria-live="polite">
        {came.length === all.length
          ? w().queensDone(number(n), number(sum))
          : w().queensSoFar(number(came.length), number(all.length), number(sum))}
      </p>
      <div
        class="board"
        role="img"
        aria-label={w().queensBoard}
        style={{ gridTemplateColumns: `repeat(${n}, 1fr)` }}
      >
        {Array.from({ length: n * n }, (_, at) => {
          const first = Math.floor(at / n);
          const second = at % n;
          const part = byField.get(`${first} ${second}`);
          const isField = Math.abs(first - second) > 1;
          const share = part?.solutions == null ? 0 : 0.25 + 0.75 * (part.solutions / most);
          return (
            <i
              key={at}
              class={
                isField
                  ? part?.solutions != null
                    ? 'is-done'
                    : `is-${part?.state ?? 'queued'}`
                  : 'is-none'
              }
              style={part?.solutions != null ? { opacity: share } : {}}
              title={isField ? `${first}, ${second}: ${part?.solutions ?? '…'}` : ''}
            />
          );
        })}
      </div>
      <Boards boards={found.value} />
      <p class="soft">
        {w().queensAxes} <a href={projectAt(project)}>{project}</a>
        {came.length === all.length && ` · ${seconds(spanOf(parts.value) / 1000)}`}
      </p>
    </>
  );
}

/** From when the first part began to when the last one ended. */
function spanOf(parts: Part[]): number {
  const began = Math.min(...parts.map((part) => part.began || Infinity));
  return Math.max(...parts.map((part) => part.ended ?? 0)) - began;
}

const seqOf = (id: string) => Number(id.slice(id.lastIndexOf('-') + 1));

async function partsOf(project: string, count: number, before: Part[]): Promise<Part[]> {
  const [live, ended] = await Promise.all([
    call<{ tasks: Row[] }>('GET', address('/tasks', { project, limit: count })),
    call<{ rows: Row[] }>('GET', address('/history', { project, limit: count })),
  ]);
  const known = new Map(before.map((part) => [part.id, part]));
  for (const row of live.tasks)
    if (known.get(row.id)?.solutions == null)
      known.set(row.id, { id: row.id, state: row.state, solutions: null });
  for (const row of ended.rows) {
    if (known.get(row.id)?.solutions != null) continue;
    known.set(row.id, {
      id: row.id,
      state: row.state,
      began: unix(row.began) ?? 0,
      ended: unix(row.ended) ?? 0,
      solutions: row.state === 'done' ? await solutionsOf(row) : null,
    });
  }
  return [...known.values()].sort((one, other) => seqOf(one.id) - seqOf(other.id));
}

async function solutionsOf(row: Row): Promise<number | null> {
  const said = /solutions\W+(\d+)/.exec(row.summary ?? '');
  return said ? Number(said[1]) : Number((await valueOf(row.id))['solutions'] ?? 0);
}

async function boardsOf(id: string): Promise<Json[]> {
  const boards = (await valueOf(id))['boards'];
  return Array.isArray(boards) ? boards : [];
}

async function valueOf(id: string): Promise<{ [name: string]: Json }> {
  return ((await call<Task>('GET', `/task/${id}`)).value ?? {}) as { [name: string]: Json };
}

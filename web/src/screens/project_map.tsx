import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { address, call } from '../api';
import { pulse } from '../live';
import { Grid } from '../parts/grid';
import { TaskId } from '../parts/links';
import { Mark, number } from '../parts/shown';
import { go } from '../router';
import { isDark, w } from '../settings';
import type { Row } from '../types';

interface Square {
  id: string;
  seq: number;
  state: string;
}

const kSquaresMax = 100_000; // Beyond, the newest.
const kPage = 1000;
const kEndedPage = 20_000;
const kLookMs = 2000;
const kDrawMs = 1000; // Between two drawings while it is read.
const kBrushedShown = 12;
const kHeightPx = 220; // Of the map, if its squares may be smaller.
const kSides = [14, 10, 8, 6, 5, 4, 3];

const seqOf = (id: string) => Number(id.slice(id.lastIndexOf('-') + 1));

/** A square for each task of a project, in the order in which they were submitted. */
export function ProjectMap({ name }: { name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const squares = useSignal<Square[]>([]);
  const under = useSignal<Square | null>(null);
  const side = useSignal(10);
  const brush = useSignal<[number, number] | null>(null); // From which square to which.
  const pressed = useRef<number | null>(null);
  const isReading = useSignal(false);

  useEffect(() => {
    let isGone = false;
    let isBusy = false;
    const known = new Map<string, Square>();
    let newest = -1;
    let last = 0; // The highest number of a task that was seen.
    let shownAt = 0;
    const show = (isLast = false) => {
      if (isGone || (!isLast && Date.now() - shownAt < kDrawMs)) return !isGone;
      shownAt = Date.now();
      const all = [...known.values()].sort((one, other) => one.seq - other.seq);
      for (const { id } of all.splice(0, all.length - kSquaresMax)) known.delete(id);
      squares.value = all;
      return true;
    };
    const read = async () => {
      if (isBusy || document.hidden) return;
      isBusy = true;
      try {
        isReading.value = newest < 0;
        newest = Math.max(newest, await readEnded(name, known, newest, show));
        isReading.value = false;
        // What begins to run stands at the front, what is new behind all that is known.
        let next = await readLive(name, known, 0);
        for (next = next && Math.max(next, last); next && show();)
          next = await readLive(name, known, next);
        for (const { seq } of known.values()) last = Math.max(last, seq);
        show(true);
      } catch {
        // The screen says that nobody answers.
      }
      isBusy = false;
    };
    void read();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = pulse.subscribe(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void read();
      }, kLookMs);
    });
    return () => {
      isGone = true;
      clearTimeout(timer);
      stop();
    };
  }, [name]);

  const all = squares.value;
  // All squares are painted once; what is brushed is a copy of that.
  const painted = useRef<Painted | null>(null);
  useEffect(() => {
    const shown = canvas.current;
    if (!shown) return;
    const paintAnew = () => {
      const next = paint(all, shown.parentElement?.clientWidth ?? 600);
      painted.current = next;
      side.value = next.side;
      shown.width = next.layer.width;
      shown.height = next.layer.height;
      shown.style.width = `${next.across * next.side}px`;
      shown.style.height = `${Math.ceil(all.length / next.across) * next.side}px`;
      show(shown, next, brush.peek());
    };
    paintAnew();
    addEventListener('resize', paintAnew);
    return () => removeEventListener('resize', paintAnew);
  }, [all, isDark.value]);
  useEffect(() => {
    if (canvas.current && painted.current) show(canvas.current, painted.current, brush.value);
  }, [brush.value]);
  if (all.length < 2) return null;

  const placeOf = (event: MouseEvent): number | null => {
    const shown = canvas.current;
    if (!shown) return null;
    const box = shown.getBoundingClientRect();
    const across = Math.round(box.width / side.value);
    const column = Math.floor((event.clientX - box.left) / side.value);
    const row = Math.floor((event.clientY - box.top) / side.value);
    const place = row * across + column;
    return column < 0 || column >= across || place < 0 || place >= all.length ? null : place;
  };
  return (
    <figure class="map">
      <figcaption class="soft">
        {w().mapOf(number(all.length))} {isReading.value ? w().loading : w().brushIt}
        {under.value && (
          <>
            {' '}
            <span class="mono">{under.value.id}</span> <Mark state={under.value.state} />
          </>
        )}
      </figcaption>
      <canvas
        ref={canvas}
        role="img"
        aria-label={w().mapOf(number(all.length))}
        onMouseDown={(event) => {
          pressed.current = placeOf(event);
          event.preventDefault();
        }}
        onMouseMove={(event) => {
          const place = placeOf(event);
          const from = pressed.current;
          if (from === null) under.value = place === null ? null : (all[place] ?? null);
          else if (place !== null && place !== from)
            brush.value = [Math.min(from, place), Math.max(from, place)];
        }}
        onMouseUp={(event) => {
          const place = placeOf(event);
          const one = place === null ? undefined : all[place];
          if (one && place === pressed.current)
            brush.value ? (brush.value = null) : go(`/tasks/${one.id}`);
          pressed.current = null;
        }}
        onMouseLeave={() => {
          under.value = null;
          pressed.current = null;
        }}
      />
      {brush.value && <Brushed all={all} range={brush.value} clear={() => (brush.value = null)} />}
    </figure>
  );
}

const isEnded = (state: string) => !['waiting', 'queued', 'running', 'cancelling'].includes(state);

interface Painted {
  layer: HTMLCanvasElement;
  side: number; // Of a square, in pixels of the page.
  across: number;
}

function paint(all: readonly Square[], width: number): Painted {
  const fits = (each: number) =>
    Math.ceil(all.length / Math.floor(width / each)) * each <= kHeightPx;
  const side = kSides.find(fits) ?? 2;
  const across = Math.max(1, Math.floor(width / side));
  const layer = document.createElement('canvas');
  layer.width = across * side * devicePixelRatio;
  layer.height = Math.ceil(all.length / across) * side * devicePixelRatio;
  const pen = layer.getContext('2d');
  if (!pen) return { layer, side, across };
  pen.scale(devicePixelRatio, devicePixelRatio);
  const style = getComputedStyle(document.documentElement);
  const gap = side > 5 ? 2 : side > 2 ? 1 : 0;
  let state = '';
  all.forEach((each, at) => {
    if (each.state !== state) {
      state = each.state;
      pen.fillStyle = style.getPropertyValue(`--${state === 'cancelling' ? 'cancelled' : state}`);
    }
    pen.fillRect((at % across) * side, Math.floor(at / across) * side, side - gap, side - gap);
  });
  return { layer, side, across };
}

// What is brushed as it is, the rest pale.
function show(shown: HTMLCanvasElement, painted: Painted, brush: [number, number] | null): void {
  const pen = shown.getContext('2d');
  if (!pen || painted.layer.width === 0) return;
  const { layer, across } = painted;
  pen.clearRect(0, 0, shown.width, shown.height);
  pen.globalAlpha = brush ? 0.25 : 1;
  pen.drawImage(layer, 0, 0);
  if (!brush) return;
  pen.globalAlpha = 1;
  const side = painted.side * devicePixelRatio;
  const [from, to] = brush;
  const first = Math.floor(from / across);
  const last = Math.floor(to / across);
  const copy = (row: number, rows: number, column: number, end: number) => {
    const place = [column * side, row * side, (end - column) * side, rows * side] as const;
    if (place[2] <= 0 || place[3] <= 0) return;
    pen.clearRect(...place);
    pen.drawImage(layer, ...place, ...place);
  };
  copy(first, 1, from % across, first === last ? (to % across) + 1 : across);
  copy(first + 1, last - first - 1, 0, across);
  if (last > first) copy(last, 1, 0, (to % across) + 1);
}

interface BrushedProps {
  all: readonly Square[];
  range: [number, number];
  clear: () => void;
}

/** How many squares of each state lie before each place. */
function sumsOf(all: readonly Square[]): Map<string, Uint32Array> {
  const sums = new Map<string, Uint32Array>();
  for (const { state } of all)
    if (!sums.has(state)) sums.set(state, new Uint32Array(all.length + 1));
  for (const [state, below] of sums)
    all.forEach((one, at) => (below[at + 1] = (below[at] ?? 0) + Number(one.state === state)));
  return sums;
}

/** What was drawn over: how many of each state, and which. */
function Brushed({ all, range: [from, to], clear }: BrushedProps) {
  const sums = useMemo(() => sumsOf(all), [all]);
  const only = useSignal('');
  const counts = new Map<string, number>();
  for (const [state, below] of sums) {
    const count = (below[to + 1] ?? 0) - (below[from] ?? 0);
    if (count > 0) counts.set(state, count);
  }
  const rows: Square[] = [];
  for (let at = from; at <= to && rows.length < kBrushedShown; at += 1) {
    const one = all[at];
    if (one && (only.value === '' || only.value === one.state)) rows.push(one);
  }
  const count = only.value === '' ? to - from + 1 : (counts.get(only.value) ?? 0);
  return (
    <section class="brushed" aria-label={w().brushed}>
      <div class="list-head">
        <span class="mono">
          {all[from]?.id} – {all[to]?.id}
        </span>
        {[...counts].map(([state, count]) => (
          <button
            key={state}
            class="chip"
            aria-pressed={only.value === state}
            onClick={() => (only.value = only.value === state ? '' : state)}
          >
            <Mark state={state} /> {number(count)}
          </button>
        ))}
        <button class="plain" onClick={clear}>
          {w().chooseNone}
        </button>
      </div>
      <Grid
        label={w().brushed}
        rows={rows}
        columns={[
          {
            name: 'id',
            title: 'id',
            width: '160px',
            show: ({ id }) => <TaskId id={id} isInRow />,
          },
          {
            name: 'state',
            title: w().filterNames.state,
            width: '1fr',
            show: ({ state }) => <Mark state={state} />,
          },
        ]}
        keyOf={({ id }) => id}
        linkOf={({ id }) => `/tasks/${id}`}
        lines={({ id, state }) => [<span class="mono">{id}</span>, <Mark state={state} />]}
      />
      {count > rows.length && <p class="soft">{w().more(count - rows.length)}</p>}
    </section>
  );
}

/** Reads a page of what is not settled; gives where the next one begins, null behind the last. */
async function readLive(
  name: string,
  known: Map<string, Square>,
  after: number,
): Promise<number | null> {
  const page: { tasks: Row[]; next?: number | null } = await call(
    'GET',
    address('/tasks', { project: name, limit: kPage, after: after || undefined }),
  );
  for (const { id, state } of page.tasks) {
    const before = known.get(id);
    if (!before || !isEnded(before.state)) known.set(id, { id, seq: seqOf(id), state });
  }
  return page.next ?? null;
}

/** Reads what ended, newest first, until what is known; gives the newest offset. */
async function readEnded(
  name: string,
  known: Map<string, Square>,
  until: number,
  goesOn: () => boolean,
): Promise<number> {
  let cursor: string | number | null | undefined;
  let newest = until;
  do {
    const page: { rows: Pick<Row, 'id' | 'offset' | 'state'>[]; next?: string | number | null } =
      await call(
        'GET',
        address('/history', {
          project: name,
          brief: 1,
          limit: kEndedPage,
          cursor: cursor ?? undefined,
        }),
      );
    for (const row of page.rows) {
      const offset = row.offset ?? 0;
      if (offset <= until) return newest;
      newest = Math.max(newest, offset);
      known.set(row.id, { id: row.id, seq: seqOf(row.id), state: row.state });
    }
    cursor = page.next;
  } while (cursor != null && (until >= 0 || known.size < kSquaresMax) && goesOn());
  return newest;
}

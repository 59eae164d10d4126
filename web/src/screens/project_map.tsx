import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { address, call } from '../api';
import { pulse } from '../live';
import { Grid } from '../parts/grid';
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
  const size = useSignal(10);
  const brush = useSignal<[number, number] | null>(null); // From which square to which.
  const pressed = useRef<number | null>(null);
  const isReading = useSignal(false);

  useEffect(() => {
    let isGone = false;
    let isBusy = false;
    const known = new Map<string, Square>();
    let newest = -1;
    let shownAt = 0;
    const show = (isLast = false) => {
      if (isGone || (!isLast && Date.now() - shownAt < kDrawMs)) return !isGone;
      shownAt = Date.now();
      squares.value = [...known.values()]
        .sort((one, other) => one.seq - other.seq)
        .slice(-kSquaresMax);
      return true;
    };
    const read = async () => {
      if (isBusy || document.hidden) return;
      isBusy = true;
      try {
        isReading.value = newest < 0;
        newest = Math.max(newest, await readEnded(name, known, newest, show));
        isReading.value = false;
        const live = await call<{ tasks: Row[] }>(
          'GET',
          address('/tasks', { project: name, limit: kPage }),
        );
        for (const row of live.tasks) {
          const before = known.get(row.id);
          if (!before || !isEnded(before.state))
            known.set(row.id, { id: row.id, seq: seqOf(row.id), state: row.state });
        }
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
  useEffect(() => {
    const shown = canvas.current;
    if (!shown) return;
    const draw = () => {
      const width = shown.parentElement?.clientWidth ?? 600;
      const fits = (each: number) =>
        Math.ceil(all.length / Math.floor(width / each)) * each <= kHeightPx;
      const side = kSides.find(fits) ?? 2;
      size.value = side;
      const across = Math.max(1, Math.floor(width / side));
      const height = Math.ceil(all.length / across) * side;
      const ratio = devicePixelRatio;
      shown.width = across * side * ratio;
      shown.height = height * ratio;
      shown.style.width = `${across * side}px`;
      shown.style.height = `${height}px`;
      const pen = shown.getContext('2d');
      if (!pen) return;
      pen.scale(ratio, ratio);
      const style = getComputedStyle(document.documentElement);
      const colours = new Map<string, string>();
      const gap = side > 5 ? 2 : side > 2 ? 1 : 0;
      const [from, to] = brush.value ?? [0, all.length];
      all.forEach((each, at) => {
        let colour = colours.get(each.state);
        if (colour === undefined) {
          colour = style.getPropertyValue(
            `--${each.state === 'cancelling' ? 'cancelled' : each.state}`,
          );
          colours.set(each.state, colour);
        }
        pen.fillStyle = colour;
        pen.globalAlpha = at >= from && at <= to ? 1 : 0.25;
        pen.fillRect((at % across) * side, Math.floor(at / across) * side, side - gap, side - gap);
      });
    };
    draw();
    addEventListener('resize', draw);
    return () => removeEventListener('resize', draw);
  }, [all, isDark.value, brush.value]);
  if (all.length < 2) return null;

  const placeOf = (event: MouseEvent): number | null => {
    const shown = canvas.current;
    if (!shown) return null;
    const box = shown.getBoundingClientRect();
    const across = Math.round(box.width / size.value);
    const column = Math.floor((event.clientX - box.left) / size.value);
    const row = Math.floor((event.clientY - box.top) / size.value);
    const place = row * across + column;
    return column < 0 || column >= across || place < 0 || place >= all.length ? null : place;
  };
  const chosen = brush.value ? all.slice(brush.value[0], brush.value[1] + 1) : [];
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
          under.value = place === null ? null : (all[place] ?? null);
          const from = pressed.current;
          if (from !== null && place !== null && place !== from)
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
      {chosen.length > 0 && <Brushed squares={chosen} clear={() => (brush.value = null)} />}
    </figure>
  );
}

const isEnded = (state: string) => !['waiting', 'queued', 'running', 'cancelling'].includes(state);

/** What was drawn over: how many of each state, and which. */
function Brushed({ squares, clear }: { squares: Square[]; clear: () => void }) {
  const counts = new Map<string, number>();
  for (const { state } of squares) counts.set(state, (counts.get(state) ?? 0) + 1);
  const only = useSignal('');
  const rows = only.value === '' ? squares : squares.filter(({ state }) => state === only.value);
  return (
    <section class="brushed" aria-label={w().brushed}>
      <div class="list-head">
        <span class="mono">
          {squares[0]?.id} – {squares.at(-1)?.id}
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
        rows={rows.slice(0, kBrushedShown)}
        columns={[
          {
            name: 'id',
            title: 'id',
            width: '160px',
            show: ({ id }) => (
              <a class="mono" href={`/tasks/${id}`} tabIndex={-1}>
                {id}
              </a>
            ),
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
      {rows.length > kBrushedShown && <p class="soft">{w().more(rows.length - kBrushedShown)}</p>}
    </section>
  );
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
    const page: { rows: Pick<Row, 'id' | 'offset' | 'state'>[]; next?: string | number | null } = await call(
      'GET',
      address('/history', { project: name, brief: 1, limit: kEndedPage, cursor: cursor ?? undefined }),
    );
    for (const row of page.rows) {
      const offset = row.offset ?? 0;
      if (offset <= until) return newest;
      newest = Math.max(newest, offset);
      known.set(row.id, { id: row.id, seq: seqOf(row.id), state: row.state });
    }
    cursor = page.next;
  } while (cursor != null && known.size < kSquaresMax && goesOn());
  return newest;
}

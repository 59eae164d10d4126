import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { address, call } from '../api';
import { pulse } from '../live';
import { Mark, number } from '../parts/shown';
import { go } from '../router';
import { isDark, w } from '../settings';
import type { Row } from '../types';

interface Square {
  id: string;
  seq: number;
  state: string;
}

const kSquaresMax = 20_000; // Beyond, the newest.
const kPage = 1000;
const kLookMs = 2000;
const kHeightPx = 220; // Of the map, if its squares may be smaller.
const kSides = [14, 10, 8, 6, 5, 4];

const seqOf = (id: string) => Number(id.slice(id.lastIndexOf('-') + 1));

/** A square for each task of a project, in the order in which they were submitted. */
export function ProjectMap({ name }: { name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const squares = useSignal<Square[]>([]);
  const under = useSignal<Square | null>(null);
  const size = useSignal(10);

  useEffect(() => {
    let isGone = false;
    let isBusy = false;
    const known = new Map<string, Square>();
    let newest = -1;
    const read = async () => {
      if (isBusy || document.hidden) return;
      isBusy = true;
      try {
        await readEnded(name, known, newest).then((head) => (newest = Math.max(newest, head)));
        const live = await call<{ tasks: Row[] }>(
          'GET',
          address('/tasks', { project: name, limit: kPage }),
        );
        for (const row of live.tasks) {
          const before = known.get(row.id);
          if (!before || !isEnded(before.state))
            known.set(row.id, { id: row.id, seq: seqOf(row.id), state: row.state });
        }
        if (!isGone)
          squares.value = [...known.values()]
            .sort((one, other) => one.seq - other.seq)
            .slice(-kSquaresMax);
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
      const side = kSides.find(fits) ?? 3;
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
      const gap = side > 5 ? 2 : 1;
      all.forEach((each, at) => {
        let colour = colours.get(each.state);
        if (colour === undefined) {
          colour = style.getPropertyValue(
            `--${each.state === 'cancelling' ? 'cancelled' : each.state}`,
          );
          colours.set(each.state, colour);
        }
        pen.fillStyle = colour;
        pen.fillRect((at % across) * side, Math.floor(at / across) * side, side - gap, side - gap);
      });
    };
    draw();
    addEventListener('resize', draw);
    return () => removeEventListener('resize', draw);
  }, [all, isDark.value]);
  if (all.length < 2) return null;

  const at = (event: MouseEvent): Square | null => {
    const shown = canvas.current;
    if (!shown) return null;
    const box = shown.getBoundingClientRect();
    const across = Math.round(box.width / size.value);
    const column = Math.floor((event.clientX - box.left) / size.value);
    const row = Math.floor((event.clientY - box.top) / size.value);
    return column < 0 || column >= across ? null : (all[row * across + column] ?? null);
  };
  return (
    <figure class="map">
      <figcaption class="soft">
        {w().mapOf(number(all.length))}
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
        onMouseMove={(event) => (under.value = at(event))}
        onMouseLeave={() => (under.value = null)}
        onClick={(event) => {
          const one = at(event);
          if (one) go(`/tasks/${one.id}`);
        }}
      />
    </figure>
  );
}

const isEnded = (state: string) => !['waiting', 'queued', 'running', 'cancelling'].includes(state);

/** Reads what ended, newest first, until what is known; returns the newest offset. */
async function readEnded(name: string, known: Map<string, Square>, until: number): Promise<number> {
  let cursor: string | number | null | undefined;
  let newest = until;
  do {
    const page: { rows: Row[]; next?: string | number | null } = await call(
      'GET',
      address('/history', { project: name, limit: kPage, cursor: cursor ?? undefined }),
    );
    for (const row of page.rows) {
      const offset = row.offset ?? 0;
      if (offset <= until) return newest;
      newest = Math.max(newest, offset);
      known.set(row.id, { id: row.id, seq: seqOf(row.id), state: row.state });
    }
    cursor = page.next;
  } while (cursor !== null && cursor !== undefined && known.size < kSquaresMax);
  return newest;
}

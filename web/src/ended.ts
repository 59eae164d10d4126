// Tasks that ended, page by page, the newest first; new ones are counted while somebody reads further
// down: nothing moves under a reader.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { call, pause, Refusal } from './api';
import { useAsked } from './asked';
import { headNow } from './live';
import { tellRefusal } from './parts/told';
import { isPaused } from './settings';
import type { Row } from './types';

export const kPage = 200;
export const kListMs = 2000; // Between two looks at a list.

export interface Page {
  tasks?: Row[];
  rows?: Row[];
  next?: string | number | null;
  complete?: boolean;
}

const cursorOf = ({ next }: Page) => (next == null ? null : String(next));

export function useEnded(path: string | null) {
  const rows = useSignal<Row[]>([]);
  const next = useSignal<string | null>(null);
  const isEnding = useSignal(false);
  const fresh = useAsked<Page>(path, kListMs);
  const shownPath = useSignal<string | null>(null);
  const held = useSignal<Row[]>([]);
  useEffect(() => {
    if (path === null) {
      rows.value = [];
      held.value = [];
      next.value = null;
      shownPath.value = null;
      return;
    }
    const page = fresh.data;
    if (!page) return;
    const newest = page.rows ?? [];
    if (shownPath.peek() !== path) {
      shownPath.value = path;
      rows.value = newest;
      held.value = [];
      next.value = cursorOf(page);
      return;
    }
    const known = new Set(rows.peek().map((row) => row.offset));
    const more = newest.filter((row) => !known.has(row.offset));
    if (more.length === 0) return;
    if (newest.length >= Math.min(rows.peek().length, kPage)) {
      // All that is shown is older than this page, or is it: show it as it is now.
      if (scrollY < 40) {
        rows.value = newest;
        next.value = cursorOf(page);
        held.value = [];
        return;
      }
    }
    if (scrollY < 40) rows.value = [...more, ...rows.peek()];
    else held.value = more;
  }, [path, fresh.data]);
  const showHeld = () => {
    shownPath.value = null;
    scrollTo(0, 0);
    fresh.ask();
    held.value = [];
  };
  // A page may be empty and still have one behind it: so far back nothing was found in time.
  const onEnd = async () => {
    if (isEnding.value || path === null) return;
    isEnding.value = true;
    try {
      for (let found = 0; found === 0 && next.value !== null && shownPath.value === path;) {
        if (isPaused.peek()) break;
        const page = await call<Page>('GET', `${path}&cursor=${encodeURIComponent(next.value)}`);
        if (shownPath.value !== path) break; // Something else is wanted by now.
        const known = new Set(rows.peek().map((row) => row.offset));
        const more = (page.rows ?? []).filter((row) => !known.has(row.offset));
        rows.value = [...rows.peek(), ...more];
        next.value = cursorOf(page);
        found = more.length;
      }
    } catch (thrown) {
      // Away, too much asked, or a role that starts again: the rest of the list is there still.
      const { status = 0 } = thrown instanceof Refusal ? thrown : {};
      if (status === 0 || status === 429 || status >= 500) {
        await new Promise((done) => setTimeout(done, pause()));
      } else {
        next.value = null;
        tellRefusal(thrown);
      }
    }
    isEnding.value = false;
  };
  useEffect(() => {
    if (rows.value.length === 0 && next.value !== null && !isPaused.value) void onEnd();
  }, [path, next.value, isEnding.value, isPaused.value]);
  useEffect(() => () => void (shownPath.value = null), []); // Who has left wants nothing more.
  return {
    rows: path === null ? [] : rows.value,
    hasMore: next.value !== null,
    held: held.value,
    onEnd,
    showHeld,
    answer: fresh,
  };
}

/** How many came while the page is held still. */
export function useNews(): number {
  const from = useRef<number | null>(null);
  if (!isPaused.value) from.current = null;
  else from.current ??= headNow.value;
  return Math.max(0, (headNow.value ?? 0) - (from.current ?? headNow.value ?? 0));
}

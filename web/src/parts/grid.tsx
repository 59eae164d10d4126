// A table of rows of one height, of which only those in sight are in the document.
import { useSignal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { go } from '../router';
import { isNarrow } from '../settings';

export interface Column<T> {
  name: string;
  title: string;
  width: string; // As of grid-template-columns.
  show: (row: T) => ComponentChildren;
  isNumber?: boolean;
  isSortable?: boolean;
}

export interface Sort {
  name: string;
  isDown: boolean; // The largest first.
}

interface GridProps<T> {
  label: string;
  rows: readonly T[];
  columns: Column<T>[];
  keyOf: (row: T) => string;
  linkOf?: (row: T) => string;
  onOpen?: ((row: T) => void) | undefined; // In place of going there.
  current?: string; // The key of the row that is open.
  sort?: Sort | null;
  onSort?: (name: string) => void;
  /** A row in two lines, for narrow screens. */
  lines: (row: T) => [ComponentChildren, ComponentChildren];
  isEndless?: boolean; // There are more, nobody knows how many.
  onEnd?: (() => void) | undefined; // The last rows came in sight.
  chosen?: ReadonlySet<string> | undefined;
  onChoose?: ((key: string) => void) | undefined;
}

interface Drawn {
  node: VNode;
  isActive: boolean;
}

const kRowPx = 32;
const kNarrowRowPx = 56;
const kTopPx = 96; // Of the window, where the page's head lies over the rows.
const kMargin = 20; // Rows beyond what is in sight.
const kStep = 10; // Rows that come and go together: not each frame of a scroll changes the document.
const kAhead = 60; // So many rows before the last one, more are asked for.

export function Grid<T>(props: GridProps<T>) {
  const { rows, columns, keyOf, linkOf } = props;
  const body = useRef<HTMLDivElement>(null);
  const range = useSignal<[number, number]>([0, 60]);
  const active = useSignal(0);
  const at = Math.max(0, Math.min(active.value, rows.length - 1));
  const height = isNarrow.value ? kNarrowRowPx : kRowPx;

  const look = () => {
    const top = body.current?.getBoundingClientRect().top ?? 0;
    const first = Math.floor(Math.max(0, -top / height - kMargin) / kStep) * kStep;
    const last = Math.ceil(((innerHeight - top) / height + kMargin) / kStep) * kStep;
    const [from, to] = range.peek();
    if (first !== from || last !== to) range.value = [first, last];
    if (last + kAhead >= rows.length && rows.length > 0) props.onEnd?.();
  };
  const looks = useRef(look);
  looks.current = look;
  useEffect(() => {
    const on = () => looks.current();
    addEventListener('scroll', on, { passive: true });
    addEventListener('resize', on);
    return () => {
      removeEventListener('scroll', on);
      removeEventListener('resize', on);
    };
  }, []);
  // What a person has scrolled to stays where it is when rows come or go above it.
  const seen = useRef(rows);
  useLayoutEffect(() => {
    const before = seen.current;
    seen.current = rows;
    const movedTo = (index: number) => {
      const row = before[index];
      return row ? rows.findIndex((each) => keyOf(each) === keyOf(row)) : -1;
    };
    const to = body.current?.contains(document.activeElement) ? movedTo(at) : -1;
    if (to >= 0) active.value = to;
    const top = body.current?.getBoundingClientRect().top ?? 0;
    const first = Math.ceil((kTopPx - top) / height);
    if (first <= 0) return;
    for (let tried = first; tried < first + kMargin; ++tried) {
      const now = movedTo(tried);
      if (now >= 0) return scrollBy(0, (now - tried) * height);
    }
  }, [rows]);
  useEffect(look, [rows.length, height]);

  const openRow = (row: T) =>
    props.onOpen ? props.onOpen(row) : linkOf ? go(linkOf(row)) : undefined;
  const move = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    active.value = next;
    const top = (body.current?.getBoundingClientRect().top ?? 0) + next * height;
    if (top < kTopPx) scrollBy(0, top - kTopPx);
    else if (top + height > innerHeight - 16) scrollBy(0, top + height - innerHeight + 16);
    look();
    requestAnimationFrame(() =>
      body.current?.querySelector<HTMLElement>(`[aria-rowindex="${next + 2}"]`)?.focus(),
    );
  };
  const onKey = (event: KeyboardEvent) => {
    const row = rows[at];
    const steps: Record<string, number> = {
      j: 1,
      ArrowDown: 1,
      k: -1,
      ArrowUp: -1,
      PageDown: 15,
      PageUp: -15,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement) return;
    const step = steps[event.key];
    if (step !== undefined) move(at + step);
    else if (event.key === 'Home') move(0);
    else if (event.key === 'End') move(rows.length - 1);
    else if (event.key === 'Enter' && row !== undefined && linkOf && isRow(event)) openRow(row);
    else if (event.key === 'x' && row !== undefined && props.onChoose) props.onChoose(keyOf(row));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const template = { gridTemplateColumns: columns.map((column) => column.width).join(' ') };
  const [first, last] = range.value;
  // A row that was drawn is the same until something but the scrolling draws the table anew.
  const drawn = useRef<{ of: unknown; height: number; rows: Map<string, Drawn> }>();
  if (drawn.current?.of !== props || drawn.current.height !== height)
    drawn.current = { of: props, height, rows: new Map() };
  const known = drawn.current.rows;
  const rowAt = (row: T, index: number) => {
    const key = keyOf(row);
    const before = known.get(key);
    const isActive = index === at;
    if (before?.isActive === isActive) return before.node;
    const isChosen = props.chosen?.has(key) ?? false;
    const node = (
      <div
        key={key}
        role="row"
        class={`grid-row ${isChosen || key === props.current ? 'is-chosen' : ''}`}
        aria-rowindex={index + 2}
        aria-selected={props.chosen ? isChosen : undefined}
        tabIndex={isActive ? 0 : -1}
        style={{ ...(isNarrow.value ? {} : template), top: `${index * height}px` }}
        onFocus={() => (active.value = index)}
        onClick={(event) => {
          if ((event.target as Element).closest('a, button, input, label')) return;
          if (linkOf && String(getSelection()) === '') openRow(row);
        }}
      >
        {isNarrow.value ? (
          <Lines lines={props.lines(row)} span={columns.length} />
        ) : (
          columns.map((column) => (
            <div key={column.name} role="gridcell" class={column.isNumber ? 'number' : ''}>
              {column.show(row)}
            </div>
          ))
        )}
      </div>
    );
    known.set(key, { node, isActive });
    return node;
  };

  return (
    <div
      class={`grid ${isNarrow.value ? 'is-narrow' : ''}`}
      role="grid"
      aria-label={props.label}
      aria-rowcount={props.isEndless ? -1 : rows.length + 1}
      onKeyDown={onKey}
    >
      <div
        class={`grid-head ${isNarrow.value ? 'unseen' : ''}`}
        role="row"
        aria-rowindex={1}
        style={template}
      >
        {columns.map((column) => (
          <div
            key={column.name}
            role="columnheader"
            class={column.isNumber ? 'number' : ''}
            aria-sort={orderOf(column, props.sort)}
          >
            {column.isSortable && props.onSort ? (
              <button class="sort" onClick={() => props.onSort?.(column.name)}>
                {column.title}
                {props.sort?.name === column.name && (props.sort.isDown ? ' ↓' : ' ↑')}
              </button>
            ) : (
              column.title
            )}
          </div>
        ))}
      </div>
      <div
        ref={body}
        role="rowgroup"
        class="grid-body"
        style={{ height: `${rows.length * height}px` }}
      >
        {rows.slice(first, last).map((row, offset) => rowAt(row, first + offset))}
      </div>
    </div>
  );
}

const orderOf = <T,>(column: Column<T>, sort: Sort | null | undefined) =>
  sort?.name === column.name ? (sort.isDown ? 'descending' : 'ascending') : undefined;

const isRow = (event: KeyboardEvent) => (event.target as Element).getAttribute('role') === 'row';

function Lines({ lines, span }: { lines: [ComponentChildren, ComponentChildren]; span: number }) {
  return (
    <div role="gridcell" aria-colspan={span} class="lines">
      <div>{lines[0]}</div>
      <div>{lines[1]}</div>
    </div>
  );
}

// Lines over time: no frame, few grid lines, the last value at the line's end, gaps as gaps, and one
// cross-hair for all charts of a screen.
import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { clock, day, dayOnly, short } from './shown';

export interface Line {
  name: string;
  colour: string; // A state's.
  isDashed?: boolean;
}

interface ChartProps {
  title: string; // With its unit.
  lines: Line[];
  /** Unix seconds, then the values of each line; null is a gap. */
  data: (number | null)[][];
  /** From when to when, if that is more than the data. */
  span?: readonly [number, number];
  /** How a value is said. */
  say?: (value: number) => string;
  /** A time that was chosen. */
  onPick?: (at: number) => void;
}

const kHeight = 132;
const kTop = 8;
const kBottom = 20;
const kLeft = 44;
const kRight = 56;
const kLineApart = 14; // Of texts.
const kLeast = 0.002; // Of what is no number of things.

/** The second that is pointed at, on whichever chart. */
const pointed = signal<number | null>(null);

export function Chart({ title, lines, data, span, say = short, onPick }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const width = useSignal(600);
  useEffect(() => {
    const home = place.current;
    if (!home) return;
    const sizes = new ResizeObserver(() => (width.value = home.clientWidth));
    sizes.observe(home);
    return () => sizes.disconnect();
  }, []);

  const times = (data[0] ?? []) as number[];
  const values = data.slice(1);
  const first = span?.[0] ?? times[0] ?? 0;
  const last = span?.[1] ?? times.at(-1) ?? 1;
  const hasDate = last - first > 172_800;
  const said = (at: number) => (hasDate ? day(at * 1000) : clock(at * 1000));
  const highest = Math.max(say === short ? 1 : kLeast, ...values.flat().map((value) => value ?? 0));
  const step = nice(highest / 2.2);
  const most = Math.max(highest * 1.08, step * 2);
  const inner = Math.max(width.value - kLeft - kRight, 40);
  const x = (at: number) => kLeft + ((at - first) / Math.max(last - first, 1)) * inner;
  const y = (value: number) => kTop + (1 - value / most) * (kHeight - kTop - kBottom);
  const at = pointed.value === null ? -1 : nearest(times, pointed.value);
  const ends = apart(
    lines.flatMap((line, index) => {
      const value = values[index]?.[at < 0 ? times.length - 1 : at];
      return value === null || value === undefined ? [] : [{ line, value, y: y(value) }];
    }),
  );
  const ending = ends.map((end) => `${end.line.name}: ${say(end.value)}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <span class="strong">{title}</span>
        {lines.map((line) => (
          <span key={line.name} class="legend">
            <svg width="14" height="8" aria-hidden="true">
              <path
                class={`line of-${line.colour}`}
                d="M0 4H14"
                stroke-dasharray={line.isDashed ? '4 3' : ''}
              />
            </svg>
            {line.name}
          </span>
        ))}
        {at >= 0 && <span class="push soft">{said(times[at] ?? 0)}</span>}
      </figcaption>
      <div
        ref={place}
        role="img"
        aria-label={`${title}: ${ending}`}
        class={onPick ? 'is-pickable' : ''}
        onClick={() => {
          if (onPick && at >= 0) onPick(times[at] ?? 0);
        }}
        onMouseMove={(event) => {
          const left = event.clientX - event.currentTarget.getBoundingClientRect().left - kLeft;
          pointed.value = first + (Math.max(0, Math.min(left, inner)) / inner) * (last - first);
        }}
        onMouseLeave={() => (pointed.value = null)}
      >
        <svg width={width.value} height={kHeight} aria-hidden="true">
          {[0, step, step * 2].map((value) => (
            <g key={value}>
              <path class="grid-line" d={`M${kLeft} ${y(value)}h${inner}`} />
              <text x={kLeft - 6} y={y(value) + 4} text-anchor="end">
                {say(value)}
              </text>
            </g>
          ))}
          {(first > 0 ? ticks(first, last, inner) : []).map((tick) => (
            <text key={tick} x={x(tick)} y={kHeight - 4} text-anchor="middle">
              {hasDate ? dayOnly(tick * 1000) : clock(tick * 1000).slice(0, tick % 60 ? 8 : 5)}
            </text>
          ))}
          {lines.map((line, index) => (
            <path
              key={line.name}
              class={`line of-${line.colour}`}
              stroke-dasharray={line.isDashed ? '4 3' : ''}
              d={pathOf(times, values[index] ?? [], x, y)}
            />
          ))}
          {at >= 0 && (
            <path class="hair" d={`M${x(times[at] ?? 0)} ${kTop}V${kHeight - kBottom}`} />
          )}
          {ends.map((end) => (
            <g key={end.line.name}>
              <rect
                class={`is-${end.line.colour}`}
                x={kLeft + inner + 6}
                y={end.y - 3}
                width="6"
                height="6"
              />
              <text class="last" x={kLeft + inner + 16} y={end.y + 4}>
                {say(end.value)}
              </text>
            </g>
          ))}
        </svg>
      </div>
    </figure>
  );
}

/** 1, 2 or 5 times a power of ten, at least so much. */
function nice(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((each) => each * power >= least) ?? 10) * power;
}

function nearest(times: number[], at: number): number {
  let best = -1;
  times.forEach((time, index) => {
    if (best < 0 || Math.abs(time - at) < Math.abs((times[best] ?? 0) - at)) best = index;
  });
  return best;
}

const kSteps = [
  10, 30, 60, 120, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 345_600,
];
const kTickPx = 110;

function ticks(first: number, last: number, px: number): number[] {
  const step = kSteps.find((each) => (last - first) / each <= px / kTickPx) ?? 864_000;
  const out: number[] = [];
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) out.push(at);
  return out;
}

function pathOf(
  times: number[],
  values: (number | null)[],
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  let isDown = false;
  let path = '';
  times.forEach((at, index) => {
    const value = values[index];
    if (value === null || value === undefined) {
      isDown = false;
      return;
    }
    path += `${isDown ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = true;
  });
  return path;
}

interface End {
  line: Line;
  value: number;
  y: number;
}

/** The ends' texts, so far from each other that each can be read. */
function apart(ends: End[]): End[] {
  const sorted = ends.map((end) => ({ ...end })).sort((one, other) => one.y - other.y);
  sorted.forEach((end, at) => {
    const above = sorted[at - 1];
    if (above) end.y = Math.max(end.y, above.y + kLineApart);
  });
  let below = kHeight - kBottom + kLineApart;
  for (const end of sorted.reverse()) below = end.y = Math.min(end.y, below - kLineApart);
  return sorted;
}

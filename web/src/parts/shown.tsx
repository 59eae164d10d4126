// Numbers, times and states as people read them.
import { signal } from '@preact/signals';
import { language, w, zone } from '../settings';
import type { State, When } from '../types';

/** The time now, to the second while the page is seen. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
export const number = (value: number) => value.toLocaleString(language.value);

/** At most three digits and a unit: 12.4 k, 3.2 M. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value < 10 && !Number.isInteger(value)) {
    return value.toLocaleString(language.value, { maximumFractionDigits: 1 });
  }
  if (value < 10_000) return number(Math.round(value));
  return value.toLocaleString(language.value, {
    notation: 'compact',
    maximumFractionDigits: 1,
  });
}

export function bytes(value: number): string {
  const units =
    language.value === 'fr' ? ['o', 'ko', 'Mo', 'Go', 'To'] : ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  let left = value;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  const digits = at === 0 || left >= 100 ? 0 : 1;
  return `${left.toLocaleString(language.value, { maximumFractionDigits: digits })} ${units[at]}`;
}

export function seconds(value: number): string {
  const say = (each: number, unit: string) =>
    `${each.toLocaleString(language.value, { maximumFractionDigits: each < 10 ? 1 : 0 })} ${unit}`;
  if (value < 0.9995) return say(value * 1000, 'ms');
  if (value < 60) return say(value, 's');
  const rest = Math.round(value % 60);
  if (value < 3600) return `${Math.floor(value / 60)} min${rest > 0 ? ` ${rest} s` : ''}`;
  if (value < 86400) return `${Math.floor(value / 3600)} h ${Math.floor((value % 3600) / 60)} min`;
  return say(value / 86400, w().days);
}

export function unix(when: When | undefined): number | null {
  if (when === null || when === undefined || when === '') return null;
  const ms = typeof when === 'number' ? when : Date.parse(when);
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

export function clock(ms: number, hasDate = false): string {
  return new Intl.DateTimeFormat(language.value, {
    ...(hasDate ? { year: 'numeric', month: 'short', day: 'numeric' } : {}),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...(zone.value === 'UTC' ? { timeZone: 'UTC' } : {}),
  }).format(ms);
}

/** "26 Nov 12:03" */
export const day = (ms: number) =>
  new Intl.DateTimeFormat(language.value, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(zone.value === 'UTC' ? { timeZone: 'UTC' } : {}),
  }).format(ms);

/** "26 Nov" */
export const dayOnly = (ms: number) =>
  new Intl.DateTimeFormat(language.value, {
    month: 'short',
    day: 'numeric',
    ...(zone.value === 'UTC' ? { timeZone: 'UTC' } : {}),
  }).format(ms);

/** How long ago, with the exact time behind it. */
export function Ago({ when }: { when: When | undefined }) {
  const ms = unix(when);
  if (ms === null) return <span class="soft">–</span>;
  const exact = new Date(ms).toISOString();
  if (zone.value !== 'relative') {
    const isToday = clock(ms, true).slice(0, -8) === clock(now.value, true).slice(0, -8);
    return (
      <time dateTime={exact} title={`${clock(ms, true)} (${exact})`}>
        {isToday ? clock(ms) : day(ms)}
      </time>
    );
  }
  const passed = (now.value - ms) / 1000;
  const near = Math.abs(passed) < 86400 * 2;
  let said = clock(ms, true);
  if (near && passed < -1) said = w().inSpan(coarse(-passed));
  else if (near) said = passed < 2 ? w().justNow : w().ago(coarse(passed));
  return (
    <time dateTime={exact} title={`${clock(ms, true)} (${exact})`}>
      {said}
    </time>
  );
}

/** In one unit. */
export function coarse(value: number): string {
  if (value < 60) return `${Math.round(value)} s`;
  if (value < 3600) return `${Math.round(value / 60)} min`;
  if (value < 86400) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} ${w().days}`;
}

/** Where there is little room. */
export const brief = (value: number) => (value < 60 ? seconds(value) : coarse(value));

const kShapes: Record<string, string> = {
  waiting: 'M5 1a4 4 0 1 0 0 8a4 4 0 1 0 0-8zm0 1.6a2.4 2.4 0 1 1 0 4.8a2.4 2.4 0 1 1 0-4.8z',
  queued: 'M5 1a4 4 0 1 0 0 8a4 4 0 1 0 0-8z',
  running: 'M2 .8L9.2 5L2 9.2z',
  cancelling: 'M1 3.8h8v2.4h-8z',
  done: 'M1 5.4L2.5 3.9L4.2 5.6L8 1.8L9.4 3.2L4.2 8.4z',
  failed: 'M1 2.4L2.4 1L5 3.6L7.6 1L9 2.4L6.4 5L9 7.6L7.6 9L5 6.4L2.4 9L1 7.6L3.6 5z',
  dead: 'M5 .4L9.6 5L5 9.6L.4 5z',
  cancelled: 'M1 3.8h8v2.4h-8z',
  lost: 'M5 1L9.4 9H.6z',
};

/** A state's shape, in its colour. */
export function Shape({ state }: { state: string }) {
  return (
    <svg class={`shape is-${state}`} viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
      <path d={kShapes[state] ?? kShapes['queued']} />
    </svg>
  );
}

export const stateWord = (state: string): string =>
  (w().states as Record<string, string>)[state] ?? state;

export function Mark({ state }: { state: State | string }) {
  return (
    <span class="mark">
      <Shape state={state} />
      {stateWord(state)}
    </span>
  );
}

/** A bar of what a set of tasks came to, and a line that says the same. */
export function Bar({ counts, total }: { counts: [string, number][]; total?: number }) {
  const all = Math.max(
    total ?? 0,
    counts.reduce((sum, [, count]) => sum + count, 0),
  );
  if (all === 0) return <svg class="bar" role="presentation" />;
  let x = 0;
  return (
    <svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
      {counts.map(([state, count]) => {
        const width = (count / all) * 1000;
        const at = x;
        x += width;
        return (
          count > 0 && (
            <rect key={state} class={`is-${state}`} x={at} width={Math.max(width, 2)} height="10" />
          )
        );
      })}
    </svg>
  );
}

// What the cluster's counters did since this page is open, a sample a second; kept over a reload.
import { signal } from '@preact/signals';
import { acceptedOf } from './asked';
import type { Status } from './types';

export interface Sample {
  at: number; // Unix seconds.
  accepted: number;
  settled: number;
  failed: number; // And dead.
  queued: number;
  running: number;
}

const kSamplesMax = 3600;
const kKeptMax = 900; // In the browser's session.
const kName = 'eole.samples';

function kept(): Sample[] {
  try {
    const all = JSON.parse(sessionStorage.getItem(kName) ?? '[]') as Sample[];
    return all.filter((each) => Date.now() / 1000 - each.at < kSamplesMax);
  } catch {
    return [];
  }
}

export const samples = signal<readonly Sample[]>(kept());

export function takeSample(status: Status): void {
  const { ventilator, sink } = status;
  if (!ventilator || !sink) return;
  const next: Sample = {
    at: Math.round(Date.now() / 1000),
    accepted: acceptedOf(status),
    settled: sink.settled,
    failed: sink.failed + sink.dead,
    queued: ventilator.queued - ventilator.waiting,
    running: ventilator.running,
  };
  const before = samples.peek();
  const last = before.at(-1);
  if (last && last.at === next.at) return;
  // Counters that fall are another cluster's.
  const isOther =
    last !== undefined && (last.accepted > next.accepted || last.settled > next.settled);
  samples.value = [...(isOther ? [] : before.slice(-kSamplesMax + 1)), next];
  if (next.at % 5 === 0) {
    try {
      sessionStorage.setItem(kName, JSON.stringify(samples.value.slice(-kKeptMax)));
    } catch {
      // Then it begins anew after a reload.
    }
  }
}

const kGapSeconds = 12; // Further apart, nothing is known of the time between.

/** Times, then for each of `names` its rate a second, over the last `span` seconds. */
export function rates(span: number, names: (keyof Sample)[]): (number | null)[][] {
  return series(span, names, (name, from, to) =>
    Math.max(0, (to[name] - from[name]) / Math.max(to.at - from.at, 1)),
  );
}
/** Times, then the levels. */
export function levels(span: number, names: (keyof Sample)[]): (number | null)[][] {
  return series(span, names, (name, _, to) => to[name]);
}

function series(
  span: number,
  names: (keyof Sample)[],
  value: (name: keyof Sample, from: Sample, to: Sample) => number,
): (number | null)[][] {
  const all = samples.value;
  const from = Date.now() / 1000 - span;
  const out: (number | null)[][] = [[], ...names.map(() => [])];
  // At most 300 points: further back, each covers several samples.
  const step = Math.max(1, Math.floor(Math.min(span, all.length) / 300));
  for (let at = step; at < all.length; at += step) {
    const sample = all[at];
    const before = all[at - step];
    if (!sample || !before || sample.at < from) continue;
    const isGap = sample.at - before.at > kGapSeconds * step;
    out[0]?.push(sample.at);
    names.forEach((name, index) =>
      out[index + 1]?.push(isGap ? null : value(name, before, sample)),
    );
  }
  return out;
}

/** A rate over the last few seconds; null: too little is known. */
export function rateNow(name: keyof Sample, seconds = 10): number | null {
  const all = samples.value;
  const last = all.at(-1);
  const first = last && all.find((each) => last.at - each.at <= seconds);
  if (!last || !first || last.at === first.at) return null;
  return (last[name] - first[name]) / (last.at - first.at);
}

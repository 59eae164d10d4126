// How long tasks waited and ran, by the histograms that the roles keep, while somebody looks.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useAsked } from './asked';
import { seesAll } from './who';

interface Look {
  at: number; // Unix seconds.
  wait: Map<number, number>; // Up to so many seconds: so many tasks.
  run: Map<number, number>;
}

const kAskMs = 5000;
const kOver = 30; // Seconds that a point stands for.
const kLooksMax = 80;

function look(text: string): Look {
  const seen: Look = { at: Math.round(Date.now() / 1000), wait: new Map(), run: new Map() };
  const lines = text.matchAll(/^eole_task_(wait|run)_seconds_bucket\{.*le="(.+)"\} (\d+)/gm);
  for (const [, of, written, count] of lines) {
    const counts = seen[of as 'wait' | 'run'];
    const bound = written === '+Inf' ? Infinity : Number(written);
    counts.set(bound, (counts.get(bound) ?? 0) + Number(count));
  }
  return seen;
}

/** What `share` of those that came between two looks took at most; null: none came. */
export function quantile(
  from: Map<number, number>,
  to: Map<number, number>,
  share: number,
): number | null {
  const counts = [...to].map(([bound, count]) => [bound, count - (from.get(bound) ?? 0)] as const);
  const wanted = (counts.at(-1)?.[1] ?? 0) * share;
  if (wanted <= 0) return null;
  let [low, below] = [0, 0];
  for (const [bound, count] of counts) {
    if (count >= wanted)
      return bound === Infinity ? low : low + ((wanted - below) / (count - below)) * (bound - low);
    [low, below] = [bound, count];
  }
  return low;
}

/** Times, then what half and 99 % of the tasks waited and ran at most, over the last seconds. */
export function useSpans(isWanted: boolean): (number | null)[][] {
  const looks = useSignal<readonly Look[]>([]);
  const { data } = useAsked<string>(isWanted && seesAll() ? '/metrics' : null, kAskMs);
  useEffect(() => {
    if (!data) return;
    const next = look(data);
    const last = looks.peek().at(-1);
    // Counts that fall are a role's that began anew.
    const fell = (['wait', 'run'] as const).some((of) =>
      [...(last?.[of] ?? [])].some(([bound, count]) => (next[of].get(bound) ?? 0) < count),
    );
    looks.value = [...(fell ? [] : looks.peek()), next].slice(-kLooksMax);
  }, [data]);
  const out: (number | null)[][] = [[], [], [], [], []];
  looks.value.forEach((to, index) => {
    const from = looks.value.slice(0, index).find((each) => to.at - each.at <= kOver);
    if (!from) return;
    [
      to.at,
      quantile(from.wait, to.wait, 0.5),
      quantile(from.wait, to.wait, 0.99),
      quantile(from.run, to.run, 0.5),
      quantile(from.run, to.run, 0.99),
    ].forEach((value, at) => out[at]?.push(value));
  });
  return out;
}

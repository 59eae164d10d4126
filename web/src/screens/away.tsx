import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { address } from '../api';
import { status, useAsked } from '../asked';
import { Ago, number } from '../parts/shown';
import { lastSeen, rememberHead, w } from '../settings';
import type { Counts } from '../types';

const opened = Date.now();
const kShortMs = 60_000; // Away for less, a person knows what goes on.

/** What changed while nobody looked: how many ended how, each a way to see them. */
export function Away() {
  const isRead = useSignal(false);
  const first = useSignal<number | null>(null);
  const head = status.value?.sink?.head ?? null;
  useEffect(() => {
    if (head === null) return;
    first.value ??= head;
    rememberHead(head);
  }, [head]);
  const since = lastSeen.at;
  const came = (first.value ?? lastSeen.head) - lastSeen.head;
  const isNews = came > 0 && since > 0 && opened - since >= kShortMs;
  const counts = useAsked<Counts>(
    isNews && !isRead.value
      ? address('/history/counts', { since, until: opened, step: `${opened - since}ms` })
      : null,
    3_600_000,
  );
  if (isRead.value || !isNews || !counts.data) return null;
  const told = (['done', 'failed', 'dead', 'cancelled'] as const)
    .map((state) => [state, counts.data?.[state]?.[0] ?? 0] as const)
    .filter(([, count]) => count > 0);
  if (told.length === 0) return null;
  return (
    <div class="bar-note">
      <span>
        {w().whileAway}{' '}
        {told.map(([state, count], at) => (
          <>
            {at > 0 && ', '}
            <a href={address('/tasks', { state, since, until: opened })}>
              {w().endedSo(state, number(count))}
            </a>
          </>
        ))}
        .{' '}
        <span class="soft">
          <Ago when={since} />
        </span>
      </span>
      <button class="plain" onClick={() => (isRead.value = true)}>
        {w().hide}
      </button>
    </div>
  );
}

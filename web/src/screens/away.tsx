import { useSignal } from '@preact/signals';
import { status } from '../asked';
import { number } from '../parts/shown';
import { rememberHead, w } from '../settings';
import { useEffect } from 'preact/hooks';

const kWorthTelling = 1; // Results since this page was last seen.

/** What changed while nobody looked. */
export function Away({ since }: { since: number }) {
  const isRead = useSignal(false);
  const first = useSignal<number | null>(null);
  const head = status.value?.sink?.head ?? null;
  useEffect(() => {
    if (head === null) return;
    first.value ??= head;
    rememberHead(head);
  }, [head]);
  const came = (first.value ?? since) - since;
  if (isRead.value || came < kWorthTelling) return null;
  return (
    <div class="bar-note">
      <span>
        {w().whileAway(number(came))} <a href="/tasks?state=done">{w().lookAtThem}</a>
      </span>
      <button class="plain" onClick={() => (isRead.value = true)}>
        {w().hide}
      </button>
    </div>
  );
}

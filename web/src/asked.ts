// What a screen shows is asked once, again when something changed, and stays when nobody answers.
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call, lost, pause, Refusal } from './api';
import { isLive, pulse } from './live';
import { unix } from './parts/shown';
import { isPaused } from './settings';
import type { Status } from './types';

export interface Answer<T> {
  data: T | null;
  refusal: Refusal | null; // Of the last request; `data` is then of an earlier one.
  ask: () => void;
}

const kPollMs = 2000; // Without a live connection.
const kSlowMs = 10_000; // With one that tells of nothing.

/**
 * The answer of a GET. Asked again when something changed, at most every `least` milliseconds, and
 * after `most`, since not all that changes is heard of; not
 * while nobody looks or the page is paused.
 */
export function useAsked<T>(path: string | null, least = 1000, most = kSlowMs): Answer<T> {
  const state = useSignal<{ path: string | null; data: T | null; refusal: Refusal | null }>({
    path: null,
    data: null,
    refusal: null,
  });
  const asks = useSignal<() => void>(() => undefined);
  useEffect(() => {
    if (path === null) return;
    let isGone = false;
    let isAsking = false;
    let askedAt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(go, ms);
    };
    const go = async (): Promise<void> => {
      clearTimeout(timer);
      if (isAsking || isGone) return;
      if (document.hidden) return; // Becoming visible asks.
      if (isPaused.peek() && state.peek().path === path && state.peek().data) return soon(kPollMs);
      isAsking = true;
      askedAt = Date.now();
      let refusal: Refusal | null = null;
      let data: T | null = null;
      try {
        data = await call<T>('GET', path);
      } catch (thrown) {
        refusal = thrown instanceof Refusal ? thrown : new Refusal(0, String(thrown));
      }
      isAsking = false;
      if (isGone) return;
      const before = state.peek();
      if (refusal) data = before.path === path ? before.data : null;
      state.value = { path, data, refusal };
      soon(refusal?.status === 0 ? pause() : isLive.peek() ? Math.max(most, least) : kPollMs);
    };
    asks.value = () => soon(0);
    void go();
    let isFirst = true;
    const stop = pulse.subscribe(() => {
      if (isFirst) isFirst = false;
      else soon(Math.max(0, askedAt + least - Date.now()));
    });
    const stopLost = lost.subscribe((now) => {
      if (now === null && state.peek().refusal?.status === 0) soon(0);
    });
    const seen = () => {
      if (!document.hidden && !isPaused.peek()) soon(0);
    };
    document.addEventListener('visibilitychange', seen);
    return () => {
      isGone = true;
      clearTimeout(timer);
      stop();
      stopLost();
      document.removeEventListener('visibilitychange', seen);
    };
  }, [path, least, most]);
  const now = state.value;
  const isOfPath = now.path === path;
  return {
    data: isOfPath ? now.data : null,
    refusal: isOfPath ? now.refusal : null,
    ask: () => asks.peek()(),
  };
}

/** The cluster as it is now, asked by the shell for all screens. */
export const status = signal<Status | null>(null);
/** How many were accepted; who is held to a prefix is not told, but of those there are no others. */
export const acceptedOf = ({ ventilator, sink }: Status) =>
  ventilator?.accepted ??
  (sink?.settled ?? 0) + (ventilator?.queued ?? 0) + (ventilator?.running ?? 0);

/** Since when a role does not answer. */
export const awaySince = signal<{ ventilator: number | null; sink: number | null }>({
  ventilator: null,
  sink: null,
});

export function setStatus(next: Status): void {
  status.value = {
    ...next,
    // Figures of a role that is away stay, as of when it was last heard.
    ventilator: next.ventilator ?? status.peek()?.ventilator ?? null,
    sink: next.sink ?? status.peek()?.sink ?? null,
  };
  const before = awaySince.peek();
  const since = (role: 'ventilator' | 'sink') =>
    next[role] ? null : (before[role] ?? unix(next.gateway?.heard?.[role]) ?? Date.now());
  const now = { ventilator: since('ventilator'), sink: since('sink') };
  if (now.ventilator !== before.ventilator || now.sink !== before.sink) awaySince.value = now;
}

// What the gateway tells by itself: that something changed, and how much there is of everything.
import { signal } from '@preact/signals';
import { heard, heardAt, unheard } from './api';
import { isPaused } from './settings';
import type { Note, Progress } from './types';

/** Rises at most once a second when something changed; what is shown is asked anew then. */
export const pulse = signal(0);
/** Is there a connection that tells of changes? Without one the page asks every two seconds. */
export const isLive = signal(false);

/** Where the log ends, as of the last summary or notification. */
export const headNow = signal<number | null>(null);
/** Hears of the task that is watched: how far it is, what it prints. */
type Hears = (note: Progress) => void;
let watched: { id: string; hears: Hears } | null = null;
export function watch(id: string, hears: Hears): () => void {
  const mine = { id, hears };
  watched = mine;
  say({ watch: id });
  return () => {
    if (watched !== mine) return;
    watched = null;
    say({ watch: null });
  };
}

const kNotesMax = 500;
/** The newest notifications, the last one first. */
export const notes = signal<readonly Note[]>([]);

const kPulseMs = 1000;
const kFlood = 200; // Notifications between two pulses: more than anybody reads.
const kFloodMs = 10_000; // So long none are wanted then; the summaries tell that things change.
const kAll = '#';
const kNone = '-'; // A topic has three words.

let socket: WebSocket | null = null;
let next = 'latest';
let fresh: Note[] = [];
let came = 0;
let figures = '';
let due: ReturnType<typeof setTimeout> | undefined;
let flood: ReturnType<typeof setTimeout> | undefined;

function changed(): void {
  due ??= setTimeout(() => {
    due = undefined;
    if (came > kFlood && flood === undefined) {
      want(kNone);
      flood = setTimeout(() => {
        flood = undefined;
        want(kAll);
      }, kFloodMs);
    }
    came = 0;
    if (Number(next) >= 0) headNow.value = Math.max(headNow.peek() ?? 0, Number(next));
    if (isPaused.peek()) return; // It is shown once the page goes on.
    if (fresh.length > 0) {
      notes.value = [...fresh.reverse(), ...notes.value].slice(0, kNotesMax);
      fresh = [];
    }
    pulse.value += 1;
  }, kPulseMs);
}

isPaused.subscribe((isHeld) => {
  if (!isHeld) changed();
});

function say(words: Record<string, unknown>): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(words));
}
const want = (topic: string) => say({ topic });

function take(text: string): void {
  heard();
  const note = JSON.parse(text) as Note;
  if (note.type === 'summary') {
    const { queued, waiting, running, accepted, settled, head } = note;
    const said = JSON.stringify([queued, waiting, running, accepted, settled, head]);
    if (said !== figures) changed();
    figures = said;
    headNow.value = head ?? null;
  } else if (note.type === 'progress') {
    if (note.id === watched?.id) watched?.hears(note as unknown as Progress);
  } else if (note.type === 'gone') {
    next = String(note.kept_from ?? 'latest');
  } else if (note.id !== undefined && note.offset !== undefined) {
    next = String(note.offset + 1);
    came += 1;
    fresh.push(note);
    if (fresh.length > kNotesMax) fresh.shift();
    changed();
  }
}

let again: ReturnType<typeof setTimeout> | undefined;
let tries = 0;
const kAgainMsMax = 15_000;

function connect(): void {
  clearTimeout(again);
  if (socket || document.hidden) return;
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const opened = new WebSocket(`${scheme}://${location.host}/notifications?from=${next}`);
  socket = opened;
  opened.onopen = () => {
    isLive.value = true;
    tries = 0;
    heard();
    if (watched) say({ watch: watched.id });
    changed(); // What came while there was no connection.
  };
  opened.onmessage = (event) => take(String(event.data));
  opened.onclose = () => {
    if (socket !== opened) return;
    socket = null;
    if (isLive.peek()) {
      isLive.value = false;
      // It ended under us: is the gateway still there?
      void fetch('/healthz', { cache: 'no-store' }).then(heard, unheard);
    }
    tries += 1;
    again = setTimeout(connect, Math.min(kPulseMs * 2 ** (tries - 1), kAgainMsMax));
  };
}

// A page that nobody sees asks and hears nothing; it catches up when it is looked at again.
const kHiddenMs = 30_000;
let hiding: ReturnType<typeof setTimeout> | undefined;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.hidden) {
    hiding = setTimeout(() => {
      const closed = socket;
      socket = null;
      next = 'latest';
      closed?.close();
      isLive.value = false;
    }, kHiddenMs);
  } else {
    connect();
    if (Date.now() - heardAt.peek() > kPulseMs) changed();
  }
});

export const startLive = connect;

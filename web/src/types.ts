// What the gateway's routes answer, as far as this page reads it (docs/http.md).

export type State =
  'waiting' | 'queued' | 'running' | 'cancelling' | 'done' | 'failed' | 'dead' | 'cancelled';

export const kUnsettled = ['waiting', 'queued', 'running', 'cancelling'];
export const kSettled = ['done', 'failed', 'dead', 'cancelled'];
export const kId = /^[0-9a-z]{6}-\d+$/; // Of a task.
/** Whether a filter's state, or one of several with commas between, is among these; none: all are. */
export const isAmong = (state: string, states: string[]) =>
  state === '' || among(state, states) !== '';
export const among = (state: string, states: string[]) =>
  state
    .split(',')
    .filter((each) => states.includes(each))
    .join();

export interface Why {
  code: string;
  text: string;
  until?: number;
  tasks?: string[];
}

export interface Attempt {
  attempt: number;
  state: string;
  worker?: string;
  pid?: number;
  lease?: string;
  error?: string;
  text?: string;
  began?: When;
  finished?: When;
  run_seconds?: number;
  value?: Json;
  offset?: number;
  stopped?: Stopped; // Of a cancelled one.
}

/** How a worker ended what ran: its process and what that had started, by which signals. */
export interface Stopped {
  pid?: number;
  processes?: number;
  signals?: string[];
  seconds: number;
}

/** Unix milliseconds, or a date as text. */
export type When = number | string | null;
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Task {
  id: string;
  kind: string;
  project: string;
  state: State;
  attempts: Attempt[];
  attempt?: number;
  worker?: string;
  result?: Json;
  value?: Json;
  error?: string;
  args?: Json;
  args_bytes?: number; // Of arguments that are too large to be told.
  why: Why[];
  pid?: number; // Of the worker that has it …
  lease?: string; // … and under what.
  submitted?: When;
  finished?: When;
  artifact?: Artifact;
  artifacts?: Artifact[];
  offset?: number;
  reasons?: string[];
  traceparent?: string;
  idempotency_key?: string;
  replay_of?: string;
  replayed_as?: string;
  is_kept?: boolean; // Else the state is all that is known.
}

export interface Artifact {
  sha256: string;
  bytes: number;
  name?: string;
}

/** A line of a list: of what waits or runs, or of what ended. */
export interface Row {
  id: string;
  kind: string;
  project: string;
  state: State;
  worker?: string;
  attempt?: number;
  attempts?: number;
  submitted?: When;
  began?: When;
  ended?: When;
  waits_until?: number;
  summary?: string;
  error?: string;
  offset?: number;
}

export interface Status {
  ventilator: Ventilator | null;
  sink: Sink | null;
  gateway: Gateway | null;
}

// What is not told to who is held to a prefix may be missing.
interface Ventilator extends Used {
  origin: string;
  accepted?: number;
  queued: number;
  waiting: number;
  running: number;
  settled?: number;
  introduced: boolean;
  paused: string[];
  journal_bytes?: number;
  journal_syncs?: number;
  journal_commit_us?: Commits;
  start: number;
  workers_left?: number; // Within the last day.
  disk_free_bytes?: number;
}

interface Sink extends Used {
  log: string;
  head: number;
  settled: number;
  done: number;
  failed: number;
  dead: number;
  cancelled: number;
  log_bytes?: number;
  log_disk_bytes?: number;
  log_kept_from: number;
  log_days_left?: number | null;
  log_keep_days?: number;
  log_keep_bytes?: number;
  log_full?: boolean;
  log_syncs?: number;
  log_commit_us?: Commits;
  artifacts?: number;
  artifact_bytes?: number;
  disk_free_bytes?: number;
}

interface Gateway extends Used {
  heard?: { ventilator: When; sink: When }; // When each answered it last.
  address?: string;
  connections?: number;
  listeners?: number;
  open_uploads?: number;
  requests?: Requests[];
}

/** What a role says of its process; of who is held to a prefix, not to him. */
export interface Used {
  pid?: number;
  version?: string;
  up_seconds?: number;
  restarts?: number; // By its supervisor.
  cpu_seconds?: number;
  memory_bytes?: number;
}

/** How long the writes that were synced took at most: half of them, and all but one in a hundred. */
export interface Commits {
  p50: number;
  p99: number;
}

/** Requests that one route answered with one status. */
export interface Requests {
  method: string;
  route: string;
  status: number;
  count: number;
}

export interface Worker {
  name: string;
  pid?: number;
  state: string;
  slots: number;
  held: number;
  silent_ms?: number; // Since it was last heard.
  host?: string;
  version?: string;
  prefetch?: number; // Per slot; zero: adapts.
  restarts?: number;
  ended?: number; // Tasks and attempts, so far.
  paused: boolean;
  kinds: string;
  labels: Record<string, string>;
  resources: Record<string, { all: number; free: number }>;
}

export interface Project {
  project: string;
  state: 'open' | 'closed' | 'over';
  tasks: number;
  expected: number | null;
  waiting: number;
  queued: number;
  running: number;
  done: number;
  failed: number;
  dead: number;
  cancelled: number;
  progress: number;
  eta_seconds: number | null;
  first_unix_ms: number | null;
  last_unix_ms: number | null;
  result?: Row | null;
}

export interface Letter {
  id: string;
  offset: number;
  kind: string;
  project: string;
  attempt: number;
  finished: When;
  error: string;
  reasons?: string[];
  group?: string;
}

export interface Group {
  group: string;
  count: number;
  kinds: Record<string, number>;
  hours: Record<string, number>; // "2026-01-31T12": how many died in that hour.
  oldest: When;
  newest: When;
  example: string;
}

/** A group of readers of the log; of one that was asked for, its partitions. */
export interface Readers {
  group: string;
  members: number;
  partitions: number;
  lag_records: number;
  lag_seconds: number;
  gone_records: number;
  cursor: number;
  head: number;
  unacknowledged: number;
  redelivered: number;
  each_member?: { name: string; heard_unix_ms: number; partitions: number; unacknowledged: number }[];
  each?: {
    partition: number;
    owner: string | null;
    cursor: number;
    lag_records: number;
    lag_seconds: number;
  }[];
}

export interface Chain {
  name: string;
  from: string;
  task: Json;
}

export interface Alert {
  name: string;
  group: string;
  seconds: number;
  command?: string[];
}

export interface Schedule {
  name: string;
  next: When;
  last: When;
  fired: number;
  paused: boolean;
  missed: string;
  cron?: string;
  zone?: string;
  every_ms?: number;
  last_error?: string;
}

export type Role = 'observe' | 'submit' | 'admin';

export interface Who {
  asks_token: boolean;
  name: string | null;
  role: Role | null;
  prefix: string;
}

export interface Token {
  name: string;
  role: Role;
  prefix: string;
  made: When;
  last_used: When;
  last_from: string | null;
  token?: string;
}

export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  default?: Json;
  enum?: Json[];
  minimum?: number;
  maximum?: number;
  format?: string;
  pattern?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  oneOf?: { required?: string[] }[];
  anyOf?: { required?: string[] }[];
  additionalProperties?: boolean | Schema;
}

export interface Kind {
  name: string;
  about?: string;
  result?: string;
  is_offered: boolean; // By a worker that is connected.
  arguments?: Schema;
}

/** A message of the live connection: a notification, or a summary. */
export interface Note {
  type?: string;
  head?: number;
  kept_from?: number;
  queued?: number;
  waiting?: number;
  running?: number;
  accepted?: number;
  settled?: number;
  offset?: number;
  id?: string;
  kind?: string;
  project?: string;
  state?: State;
  worker?: string;
  error?: string;
  finished?: When;
}

/** How far a running task is; with a stream, what it printed. */
export interface Progress {
  id: string;
  worker: string;
  done: number;
  total: number;
  text: string;
  stream?: 'stdout' | 'stderr';
  output?: { base64: string };
}

/** How many ended in each step of a time. */
export interface Counts {
  since: number; // Unix ms.
  step: number; // Milliseconds.
  done?: number[];
  failed?: number[];
  dead?: number[];
  cancelled?: number[];
  counted_from: number | null;
}

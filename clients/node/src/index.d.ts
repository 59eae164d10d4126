/** Seconds, or a text: "250ms", "1.5s", "5m", "2h", "3d". */
export type Span = number | string;
/** A task's arguments: what JSON has, and bytes and BigInts of 64 bits. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value | undefined };

export type State = 'done' | 'failed' | 'dead' | 'cancelled';

/** How a task ended (or, if not `isFinal`, one attempt: it will be tried again, or its other copy counts). Names that are no UTF-8 are bytes. */
export class Result {
  /** Its place in the log. */
  readonly offset: number;
  readonly id: string;
  readonly kind: string | Buffer;
  readonly project: string | Buffer;
  readonly state: State;
  readonly attempt: number;
  readonly isFinal: boolean;
  readonly worker: string | Buffer;
  /** By its ventilator's clock. */
  readonly submitted: Date;
  readonly finished: Date;
  readonly runSeconds: number;
  /** What docs/protocol.md calls the body. */
  readonly body: any;
  /** That orders its task, or "". */
  readonly key: string | Buffer;
  /** Of the group that it was read in. */
  readonly partition: number | undefined;
  /** What a done task returned. */
  readonly value: any;
  /** Why any other did not. */
  readonly error: any;
  /** Of which sort a failure was, as `retry.on` names it: 'exit:75', 'timeout', 'RangeError'. */
  readonly cause: string | undefined;
  /** Of the file that the task made. */
  readonly artifact: { sha256: string; bytes: number; name: string } | undefined;
}

/** The words of a task, as in JSON (docs/plans.md). */
export interface Words {
  project?: string;
  retry?: boolean | { attempts?: number; backoff?: Span; backoff_max?: Span; on?: string | string[] };
  attempts?: number;
  /** The same tasks under the same key are accepted once, for 24 hours; all in one message. */
  idempotency_key?: string;
  /** 0 to 9: a higher one is served first. */
  priority?: number;
  delay?: Span;
  not_before?: Span | Date;
  expires?: Span | Date;
  /** Tasks of one key run one by one, in their order. */
  key?: string;
  /** Ids, results or "project:NAME" that it waits for. */
  after?: After | readonly After[];
  on_parent_failure?: 'fail' | 'skip' | 'run';
  /** Of one attempt. */
  timeout?: Span;
  needs?: Record<string, string | number>;
  pin?: string;
  prefer?: string;
  spread?: boolean;
  speculate?: boolean;
  traceparent?: string;
}
type After = string | Result | readonly string[];

/** "earliest", "latest", an offset in the log or a time. */
export type Place = 'earliest' | 'latest' | number | Date;

export interface GroupOptions {
  /** How it is called for people. */
  member?: string;
  /** Only what fits project/kind/state: * is one word, # any number of them. */
  topic?: string;
  /** "end" (unless said): at the end, and when a partition moves; "each": also before each next record. */
  commits?: 'end' | 'each' | 'manual';
  /** Seconds without a record, then the iteration ends. */
  timeout?: number;
}

/** A cluster, as a program sees it. Close it: its sockets keep the process alive. */
export class Cluster {
  /** path: the cluster or join file, else EOLE_CLUSTER, else the local one's. patience: seconds [30], then NoAnswer. */
  constructor(path?: string, options?: { patience?: number });
  close(): void;
  /** Submits a task, or one for each item of a list, and returns their ids once all are durable. */
  submit(kind: string, args?: Value, words?: Words): Promise<string[]>;
  /** The results of tasks of these args, in their order. */
  map(kind: string, args: readonly Value[], words?: Words): Promise<Result[]>;
  /** The results of these tasks, in their order, once all have ended. */
  wait(ids: readonly string[]): Promise<Result[]>;
  /**
   * Yields each result as it comes: of these ids (until all are final), or of every task from now on. since: also those
   * that finished from then on; offset: those from there in the log on; topic: only those whose project/kind/state fits
   * it; timeout: seconds without one, then it ends.
   */
  results(of?: {
    ids?: readonly string[];
    since?: Date | number;
    offset?: number;
    topic?: string;
    timeout?: number;
  }): AsyncGenerator<Result, void, void>;
  /** How the task ended, or null as long as it has not; NotFound if there is no such task. */
  result(id: string): Promise<Result | null>;
  /** What the roles say of themselves. */
  status(): Promise<{ ventilator: any; sink: any; workers: any[] }>;
  /** What is known of one task. */
  status(id: string): Promise<any>;
  /** How many tasks of a project wait, run, and ended how. */
  project(name: string): Promise<any>;
  /** Cancels tasks, queued or running; results() tells how they end. */
  cancel(ids: readonly string[]): Promise<Record<string, 'cancelling' | 'settled' | 'unknown'>>;
  /** Reads the log as a member of a group. create_from: makes the group if it is not there. */
  group(name: string, options?: GroupOptions & { create_from?: Place; partitions?: number }): Promise<Group>;
  /** A group of one partition, made when it is not there: reads on where the last one with it committed. */
  cursor(name: string, start?: Place, options?: GroupOptions): Promise<Group>;
  readonly groups: Groups;
  /**
   * The arguments of an exec task that runs this file wherever it runs: it goes along, by its digest. words: its
   * arguments; args: others of the kind, but for argv and cwd.
   */
  script(path: string, words?: readonly string[], args?: ExecArgs): Promise<ExecArgs>;
}

/** Of an exec task. */
export type ExecArgs = { readonly [name: string]: Value | undefined };
/** These with the signature of a key of `eole key make`, for workers --signed-by. */
export function signed(args: ExecArgs, keyPath: string): ExecArgs;

/** A member of a group, of whose records each goes to one member: `for await (const record of group) …`. */
export class Group implements AsyncIterable<Result> {
  private constructor();
  [Symbol.asyncIterator](): AsyncIterator<Result>;
  /** All that was handed out, the last one too, is dealt with: durably, or it is others' business. */
  commit(): Promise<void>;
  /** Leaves the group, so that others go on at once. Unless commits are manual, all but the last record is committed. */
  close(): Promise<void>;
}

export interface Groups {
  /** As `eole group list --json` has them. */
  list(): AsyncGenerator<any, void, void>;
  create(name: string, from?: Place, partitions?: number): Promise<any>;
  move(name: string, to: Place): Promise<any>;
  delete(name: string): Promise<any>;
  /** The member hears that it was removed, and others have its partitions within 7 s. */
  removeMember(name: string, member: string): Promise<void>;
}

/** A run, from the side of its task. One that was just called has no id, and attempt 0. */
export interface Run {
  readonly id: string | null;
  readonly attempt: number;
  readonly kind: string;
  readonly project: string;
  readonly traceparent: string;
  /** Its own, removed afterwards. */
  readonly directory: string;
  /** Aborted when the run is to end. */
  readonly signal: AbortSignal;
  /** Says how far it is: of a total (0: not known), and at what. As often as you like. */
  progress(done: number, total?: number, text?: string): void;
  /** A line of its output. */
  log(text: string): void;
  /** The path of an artifact as a file in the directory. At a worker only, as put(). */
  fetch(sha256: string, name?: string): Promise<string>;
  /** The file becomes an artifact of the result. */
  put(path: string, name?: string): void;
}

/** Makes a function a task, for eole-runner-node: called as ever, it runs here. */
export function task<Args, Returned>(
  name: string,
  run: (args: Args, run: Run) => Returned,
  told?: { about?: string; args?: { name: string; type?: string; default?: Value }[] },
): (args: Args, run?: Run) => Returned;

/** Every error is one. */
export class EoleError extends Error {
  /** Of an error in submit: the tasks that were accepted nevertheless. */
  ids: string[];
}
export class NoAnswer extends EoleError {}
/** code: of which sort it is (docs/protocol.md), or an empty text. */
export class Refused extends EoleError {
  code: string;
  /** Seconds before which it makes no sense to say it again; 0: not known. */
  retryAfter: number;
}
export class BadClusterFile extends EoleError {}
export class BadTask extends EoleError {}
export class NotFound extends EoleError {}
export class LogReplaced extends EoleError {}
export class Damaged extends EoleError {}
export class Cancelled extends EoleError {}
export class Closed extends EoleError {}
export class Gone extends EoleError {
  constructor(text: string, keptFrom: number);
  /** The offset of the oldest result that is kept. */
  keptFrom: number;
  /** Of a group: the offsets of what is gone. */
  first?: number;
  last?: number;
}
/** Thrown in a task: another attempt makes no sense sooner than `after` seconds. */
export class Retry extends EoleError {
  constructor(text?: string, after?: number);
  after: number;
}

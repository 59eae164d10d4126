// Requests to the gateway that served this page, and whether it answers.
import { signal } from '@preact/signals';

/** Why a request was not done: what the gateway said (RFC 9457), or that it said nothing. */
export class Refusal extends Error {
  constructor(
    readonly status: number, // 0: no answer.
    readonly detail: string,
    readonly errors: { pointer: string; detail: string }[] = [],
    readonly request = '', // By which the gateway's log names it.
  ) {
    super(detail);
  }
}

/** A token is wanted before anything is told: whoever looks has none, or it is good no more. */
export const isOut = signal(false);

/** Since when the gateway does not answer, and when it is tried again; null: it answers. */
export const lost = signal<{ since: number; tries: number; next: number } | null>(null);
/** When anything was last heard. */
export const heardAt = signal(Date.now());

export function heard(): void {
  heardAt.value = Date.now();
  if (lost.value) lost.value = null;
}
export function unheard(): void {
  const before = lost.value;
  const tries = (before?.tries ?? 0) + 1;
  lost.value = {
    since: before?.since ?? Date.now(),
    tries,
    next: Date.now() + Math.min(500 * 2 ** Math.min(tries, 4), 5000),
  };
}
/** Milliseconds to wait before the next try. */
export const pause = () => Math.max(500, (lost.value?.next ?? 0) - Date.now());

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The tasks that were sent last, until they are accepted: sent again, they are the same ones. */
const sent = { body: '', key: '' };
function keyOf(body: string): string {
  if (body !== sent.body)
    Object.assign(sent, { body, key: crypto.getRandomValues(new Uint32Array(4)).join('') });
  return sent.key;
}

export async function call<T>(
  method: Method,
  path: string,
  body?: unknown,
  fields: Record<string, string> = {},
): Promise<T> {
  let answer: Response;
  const said = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const areTasks = method === 'POST' && path === '/task';
  try {
    answer = await fetch(path, {
      method,
      cache: 'no-store', // At some paths there is a screen, too.
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(areTasks ? { 'idempotency-key': keyOf(said ?? '') } : {}),
        ...fields,
      },
      body: said ?? null,
    });
  } catch {
    unheard();
    throw new Refusal(0, '');
  }
  heard();
  const text = await answer.text().catch(() => '');
  const value = parsed(text);
  if (answer.ok) {
    if (areTasks) sent.body = '';
    return value as T;
  }
  if (answer.status === 401 && path !== '/login') isOut.value = true;
  const problem = (value ?? {}) as {
    title?: string;
    detail?: string;
    errors?: [];
    request_id?: string;
  };
  throw new Refusal(
    answer.status,
    problem.detail ?? problem.title ?? `${answer.status} ${answer.statusText}`,
    problem.errors ?? [],
    problem.request_id,
  );
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

/** "/tasks" and what is said of its options; what is empty stays away. */
export function address(
  path: string,
  options: Record<string, string | number | undefined>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

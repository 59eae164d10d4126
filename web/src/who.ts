// Who looks at this page, as far as the gateway knows.
import { signal } from '@preact/signals';
import { call, isOut } from './api';
import { pulse, startLive } from './live';
import type { Role, Who } from './types';

export const who = signal<Who | null>(null);

export async function askWho(): Promise<void> {
  try {
    who.value = await call<Who>('GET', '/login');
    isOut.value = who.value.role === null;
  } catch {
    isOut.value = who.peek()?.asks_token ?? false; // Away: it is asked again with the next answer.
  }
}

const kRoles: Role[] = ['observe', 'submit', 'admin']; // Each may what those before it may.

/** May whoever looks do what takes this role? What is not known yet is shown: the gateway refuses. */
export const may = (role: Role) =>
  !who.value || kRoles.indexOf(role) <= kRoles.indexOf(who.value.role ?? 'observe');

/** Who is bound to a prefix is refused where all projects are told of: /logs, /metrics. */
export const seesAll = () => !who.value?.prefix;

/** Throws Refusal. */
export async function logIn(token: string): Promise<void> {
  who.value = await call<Who>('POST', '/login', { token });
  isOut.value = false;
  pulse.value += 1; // What was refused is asked anew.
  startLive();
}

export async function logOut(): Promise<void> {
  await call('POST', '/logout');
  location.assign('/login'); // Nothing of what was shown stays.
}

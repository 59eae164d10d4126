// Who looks at this page, as far as the gateway knows.
import { signal } from '@preact/signals';
import { call, isOut } from './api';
import { pulse, startLive } from './live';
import type { Who } from './types';

export const who = signal<Who | null>(null);

export async function askWho(): Promise<void> {
  try {
    who.value = await call<Who>('GET', '/login');
    isOut.value = who.value.role === null;
  } catch {
    isOut.value = who.peek()?.asks_token ?? false; // Away: it is asked again with the next answer.
  }
}

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

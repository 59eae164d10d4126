// What this page asks, as a line of shell.
import type { Method } from './api';
import { who } from './who';

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request; `options` are curl's own. Whoever runs it has its token in $TOKEN. */
export function curl(
  method: Method,
  path: string,
  body?: unknown,
  options: readonly string[] = [],
): string {
  const parts = ['curl', ...options];
  if (who.value?.asks_token) parts.push('-H', '"Authorization: Bearer $TOKEN"');
  if (method !== 'GET' && !(method === 'POST' && body !== undefined)) parts.push('-X', method);
  if (body !== undefined) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    parts.push('-H', quoted('Content-Type: application/json'), '-d', quoted(text));
  }
  return [...parts, quoted(location.origin + path)].join(' ');
}

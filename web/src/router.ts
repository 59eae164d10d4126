// The address says what is seen: path and query are signals, links are plain links.
import { computed, signal } from '@preact/signals';

const here = signal(location.pathname + location.search + location.hash);
const url = computed(() => new URL(here.value, location.origin));

export const path = computed(() => url.value.pathname);
export const query = computed(() => url.value.searchParams);

export function go(to: string, replaces = false): void {
  if (to === here.value) return;
  history[replaces ? 'replaceState' : 'pushState'](null, '', to);
  const isOther = new URL(to, location.origin).pathname !== path.value;
  here.value = to;
  if (isOther) scrollTo(0, 0);
}

/** Changes words of the query; an empty one goes. */
export function ask(changes: Record<string, string>): void {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    value === '' ? next.delete(name) : next.set(name, value);
  }
  const text = next.toString();
  go(path.value + (text && `?${text}`), true);
}

// What somebody typed may be no text: "%E0".
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** "/tasks/a" of "/tasks/:id" gives ["a"]; null: it is another path. */
export function matches(pattern: string): string[] | null {
  const wanted = pattern.split('/');
  const parts = path.value.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== parts.length) return null;
  const found: string[] = [];
  for (const [at, want] of wanted.entries()) {
    const part = parts[at] ?? '';
    if (want.startsWith(':')) found.push(decoded(part));
    else if (want !== part) return null;
  }
  return found;
}

// What the gateway serves itself, and no screen of this page.
const kServed = /^\/(metrics|openapi\.json|artifact|download|page)/;

addEventListener('popstate', () => {
  here.value = location.pathname + location.search + location.hash;
});
addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.menu[open]'))
    if (!menu.contains(event.target as Node)) menu.removeAttribute('open');
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.('a');
  if (!link || link.target || link.hasAttribute('download')) return;
  if (link.origin !== location.origin || kServed.test(link.pathname)) return;
  if (link.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  go(link.pathname + link.search + link.hash);
});

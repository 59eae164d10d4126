// What a person chose here; kept by the browser, never sent.
import { computed, effect, signal } from '@preact/signals';
import { en, type Words } from './words/en';

function kept(name: string): string | null {
  try {
    return localStorage.getItem(`eole.${name}`);
  } catch {
    return null; // A browser that keeps nothing.
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`eole.${name}`, value);
  } catch {
    // It is asked again next time.
  }
}

export type Theme = 'system' | 'light' | 'dark';
export type Zone = 'relative' | 'local' | 'UTC'; // How times are told.

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(prefersDark.matches);
prefersDark.addEventListener('change', () => (systemIsDark.value = prefersDark.matches));

const narrow = matchMedia('(max-width: 720px)');
export const isNarrow = signal(narrow.matches);
narrow.addEventListener('change', () => (isNarrow.value = narrow.matches));

export const theme = signal((kept('theme') ?? 'system') as Theme);
export const isDark = computed(() =>
  theme.value === 'system' ? systemIsDark.value : theme.value === 'dark',
);
export const language = signal(
  kept('language') ?? (navigator.language.startsWith('fr') ? 'fr' : 'en'),
);
export const zone = signal((kept('zone') ?? 'relative') as Zone);
export const isPaused = signal(false);
/** The first look is over: nobody needs the three things to try. */
export const knowsEole = signal(kept('knows') === 'yes');
/** The log's head when this page was last seen, and when that was: what came since is news. */
export const lastSeen = { head: Number(kept('head') ?? -1), at: Number(kept('seen') ?? 0) };
export function rememberHead(head: number): void {
  keep('head', String(head));
  keep('seen', String(Date.now()));
}

/** Projects that have a place beside the screens, the newest first: eight at most. */
export const pins = signal<readonly string[]>((kept('pins') ?? '').split('\n').filter(Boolean));
/** A story is shown beside the list that it is of. */
export const isSplit = signal(kept('split') === 'yes');
const wide = matchMedia('(min-width: 1100px)');
export const isWide = signal(wide.matches);
wide.addEventListener('change', () => (isWide.value = wide.matches));

const words = signal<Words>(en);
/** The words of the language that is chosen; what renders with them follows it. */
export const w = () => words.value;
// French comes apart (build.mjs): who reads English does not load it.
const kFrench = '/fr.js';
async function follow(name: string): Promise<void> {
  const came = name === 'fr' ? ((await import(kFrench)) as { fr: Words }).fr : en;
  if (language.peek() === name) words.value = came;
}
/** The words are those of the language, or cannot be had. */
export const wordsCame = follow(language.peek()).catch(() => undefined);

effect(() => {
  document.documentElement.dataset['theme'] = isDark.value ? 'dark' : 'light';
  document.documentElement.lang = language.value;
});
effect(() => keep('theme', theme.value));
effect(() => keep('language', language.value));
effect(() => void follow(language.value).catch(() => undefined));
effect(() => keep('zone', zone.value));
effect(() => keep('pins', pins.value.join('\n')));
effect(() => keep('split', isSplit.value ? 'yes' : ''));
effect(() => {
  if (knowsEole.value) keep('knows', 'yes');
});

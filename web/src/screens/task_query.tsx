// Which tasks are wanted: words with completion, and a chip for each that is said.
import { useSignal } from '@preact/signals';
import { useAsked } from '../asked';
import { type Choice, Combo } from '../parts/combo';
import { listOf } from '../parts/frame';
import { clock, Mark, stateWord } from '../parts/shown';
import { ask, query } from '../router';
import { w } from '../settings';
import { type Kind, kSettled, kUnsettled, type Project, type Worker } from '../types';

export const kFilters = [
  'state',
  'kind',
  'project',
  'worker',
  'ran',
  'since',
  'until',
  'text',
] as const;
export type Name = (typeof kFilters)[number];
export type Filter = Record<Name, string>;

export const filterOf = (): Filter =>
  Object.fromEntries(kFilters.map((name) => [name, query.value.get(name) ?? ''])) as Filter;

const isTime = (name: Name) => name === 'since' || name === 'until';
const shownOf = (name: Name, value: string) => {
  const ms = isTime(name) ? new Date(Number(value) || value).getTime() : 0;
  return ms ? clock(ms, true) : value; // "1h" is the gateway's to read.
};

/** "state:dead kind:exec" */
export const said = (filter: Filter) =>
  kFilters
    .filter((name) => filter[name] !== '')
    .map((name) => `${name}:${shownOf(name, filter[name])}`)
    .join(' ');

const kNames: Record<string, Name> = { error: 'text', took: 'ran' };
const nameOf = (word: string): Name | null =>
  kNames[word] ?? kFilters.find((name) => name === word) ?? null;

const kSpans: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

// "1h" is so long ago; else a time as a person writes it.
function timeOf(text: string): string {
  const span = /^(\d+)([smhd])$/.exec(text);
  const ms = span ? Date.now() - Number(span[1]) * (kSpans[span[2] ?? ''] ?? 0) : Date.parse(text);
  return Number.isFinite(ms) ? String(Math.round(ms)) : '';
}

/** What was typed, as changes of the filter: state:dead took:>10s error:"exit code 3" words */
export function read(typed: string): Partial<Filter> {
  const out: Partial<Filter> = {};
  const words: string[] = [];
  for (const [whole, word = '', quoted, plain] of typed.matchAll(
    /(?:(\w+):)?(?:"([^"]*)"?|(\S+))/g,
  )) {
    const value = quoted ?? plain ?? '';
    const name = nameOf(word);
    if (name === null) words.push(whole.replaceAll('"', ''));
    else if (name === 'text') words.push(value);
    else if (isTime(name)) out[name] = timeOf(value);
    else out[name] = value.replace(/^[>=]+/, '');
  }
  if (words.length > 0) out.text = words.join(' ');
  return out;
}

export function Filters({ filter, isOfProject }: { filter: Filter; isOfProject?: boolean }) {
  const typed = useSignal('');
  const isUsed = useSignal(false);
  const asks = (path: string) => (isUsed.value ? path : null);
  const values: Partial<Record<Name, string[]>> = {
    state: [...kUnsettled, ...kSettled],
    kind: listOf<Kind>(useAsked(asks('/kinds'), 60_000).data, 'kinds').map((each) => each.name),
    project: listOf<Project>(useAsked(asks('/projects'), 60_000).data, 'projects').map(
      (each) => each.project,
    ),
    worker: listOf<Worker>(useAsked(asks('/workers'), 60_000).data, 'workers').map(
      (each) => each.name,
    ),
    ran: ['1s', '10s', '1m', '10m'],
    since: ['10m', '1h', '1d', '7d'],
    until: ['10m', '1h', '1d'],
  };
  const set = (changes: Partial<Filter>) => {
    typed.value = '';
    ask({ ...changes, open: '' });
  };
  const said = kFilters.filter(
    (name) => filter[name] !== '' && !(isOfProject && name === 'project'),
  );
  return (
    <div class="filters" role="search" aria-label={w().filter}>
      <select
        aria-label={w().filterNames.state}
        value={filter.state}
        onChange={(event) => set({ state: event.currentTarget.value })}
      >
        <option value="">{w().anyState}</option>
        {filter.state.includes(',') && (
          <option value={filter.state}>{filter.state.split(',').map(stateWord).join(', ')}</option>
        )}
        {[...kUnsettled, ...kSettled].map((each) => (
          <option key={each} value={each}>
            {stateWord(each)}
          </option>
        ))}
      </select>
      <Combo
        id="filter"
        label={w().filter}
        hint={w().filterHint}
        value={typed.value}
        choices={choicesOf(typed.value, values, (text) => (typed.value = text), set)}
        onFocus={() => (isUsed.value = true)}
        onInput={(text) => (typed.value = text)}
        onEnter={() => set(read(typed.value))}
      />
      {said.map((name) => (
        <button
          key={name}
          class="chip"
          aria-label={`${w().without} ${name}:${shownOf(name, filter[name])}`}
          onClick={() => set({ [name]: '' })}
        >
          {name === 'state' ? (
            filter.state.split(',').map((each) => <Mark key={each} state={each} />)
          ) : (
            <>
              <span class="soft">{w().filterNames[name]}</span> {shownOf(name, filter[name])}
            </>
          )}{' '}
          ✕
        </button>
      ))}
      {said.length > 0 && (
        <button
          class="plain"
          onClick={() => set(Object.fromEntries(said.map((name) => [name, ''])))}
        >
          {w().clearFilters}
        </button>
      )}
    </div>
  );
}

// For the last word of what is typed: names, then values of a name.
function choicesOf(
  typed: string,
  values: Partial<Record<Name, string[]>>,
  type: (text: string) => void,
  set: (changes: Partial<Filter>) => void,
): Choice[] {
  const word = /\S*$/.exec(typed)?.[0] ?? '';
  const before = typed.slice(0, typed.length - word.length);
  const [first = '', second] = word.split(':');
  const name = second === undefined ? null : nameOf(first);
  const valuesOf = (of: Name, begin: string): Choice[] =>
    (values[of] ?? [])
      .filter((each) => each !== '' && each.toLowerCase().startsWith(begin.toLowerCase()))
      .map((each) => ({
        text: `${of}:${each}`,
        ...(of === 'state' ? { hint: stateWord(each) } : {}),
        take: () => set({ ...read(before), ...read(`${of}:"${each}"`) }),
      }));
  if (name !== null) return valuesOf(name, second ?? '');
  const names = kFilters
    .filter((each) => each.startsWith(first))
    .map((each) => ({
      text: `${each}:`,
      hint: w().filterNames[each],
      take: () => type(`${before}${each}:`),
    }));
  return first === ''
    ? names
    : [
        ...names,
        ...(['state', 'kind', 'project', 'worker'] as const).flatMap((each) =>
          valuesOf(each, first),
        ),
      ];
}

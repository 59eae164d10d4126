import { useComputed, useSignal } from '@preact/signals';
import { address } from '../api';
import { status, useAsked } from '../asked';
import { kListMs, kPage, type Page, useEnded } from '../ended';
import { Empty, Screen, Skeleton } from '../parts/frame';
import { Grid } from '../parts/grid';
import { number, stateWord } from '../parts/shown';
import { ask, query } from '../router';
import { isPaused, w } from '../settings';
import { kSettled, kUnsettled } from '../types';
import { Acts, type Filter, kFilters, said } from './task_acts';
import { columns, lines } from './task_rows';

function filterOf(): Filter {
  const said = query.value;
  return Object.fromEntries(kFilters.map((name) => [name, said.get(name) ?? ''])) as Filter;
}

/** What waits or runs, then what ended, newest first; narrowed by what the address says. */
export function Tasks({ project }: { project?: string }) {
  const filter = { ...filterOf(), ...(project === undefined ? {} : { project }) };
  return project === undefined ? (
    <Screen title={w().tasks} aside={<Totals filter={filter} />}>
      <Filters filter={filter} />
      <List filter={filter} />
    </Screen>
  ) : (
    <>
      <Filters filter={filter} isOfProject />
      <List filter={filter} />
    </>
  );
}

function Totals({ filter }: { filter: Filter }) {
  const now = status.value;
  const isOpen = kFilters.every((name) => filter[name] === '');
  if (!isOpen || !now?.ventilator || !now.sink) return null;
  const all = now.ventilator.queued + now.ventilator.running;
  return <span class="soft">{w().totals(number(all), number(now.sink.settled))}</span>;
}

function Filters({ filter, isOfProject }: { filter: Filter; isOfProject?: boolean }) {
  const state = filter.state;
  const states = [...kUnsettled, ...kSettled];
  const words = useSignal<Partial<Filter>>({});
  const text = (name: 'kind' | 'project' | 'worker' | 'text') => (
    <input
      key={name}
      aria-label={w().filterNames[name]}
      placeholder={w().filterNames[name]}
      value={words.value[name] ?? filter[name]}
      onInput={(event) => (words.value = { ...words.value, [name]: event.currentTarget.value })}
      onChange={(event) => {
        words.value = {};
        ask({ [name]: event.currentTarget.value.trim() });
      }}
    />
  );
  return (
    <div class="filters" role="search">
      <select
        aria-label={w().filterNames.state}
        value={state}
        onChange={(event) => ask({ state: event.currentTarget.value })}
      >
        <option value="">{w().anyState}</option>
        {states.map((each) => (
          <option key={each} value={each}>
            {stateWord(each)}
          </option>
        ))}
      </select>
      {text('kind')}
      {!isOfProject && text('project')}
      {text('worker')}
      {text('text')}
      {kFilters.some((name) => filter[name] !== '' && !(isOfProject && name === 'project')) && (
        <button
          class="plain"
          onClick={() => ask({ state: '', kind: '', worker: '', text: '', project: '' })}
        >
          {w().clearFilters}
        </button>
      )}
    </div>
  );
}

function List({ filter }: { filter: Filter }) {
  const { state, kind, project, worker, text } = filter;
  const isLive = state === '' || kUnsettled.includes(state);
  const isEnded = state === '' || kSettled.includes(state);
  const now = useAsked<Page>(
    isLive && text === ''
      ? address('/tasks', { state, kind, project, worker, limit: kPage })
      : null,
    kListMs,
  );
  const ended = useEnded(
    isEnded ? address('/history', { state, kind, project, worker, text, limit: kPage }) : null,
  );
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const live = now.data?.tasks ?? [];
  const gone = useComputed(() => new Set<string>());
  gone.value.clear();
  ended.rows.forEach((row) => gone.value.add(row.id));
  const rows = [...live.filter((row) => !gone.value.has(row.id)), ...ended.rows];

  const refusal = now.refusal ?? ended.answer.refusal;
  const isLoading =
    (isLive && text === '' && !now.data && !now.refusal) ||
    (isEnded && !ended.answer.data && !ended.answer.refusal);
  if (rows.length === 0 && isLoading) return <Skeleton lines={10} />;
  if (rows.length === 0 && refusal && refusal.status !== 0) {
    return (
      <Empty>
        <p>
          <strong>{refusal.status >= 502 ? w().roleAway : w().refused}</strong>
        </p>
        <p class="mono">{refusal.detail}</p>
      </Empty>
    );
  }
  const isFiltered = kFilters.some((name) => filter[name] !== '');
  if (rows.length === 0) {
    return isFiltered ? (
      <Empty>
        <p>{w().noMatch(said(filter))}</p>
      </Empty>
    ) : (
      <Empty>
        <p>{w().noTasks}</p>
        <a class="button main" href="/submit">
          {w().submitOne}
        </a>
      </Empty>
    );
  }
  const choose = (id: string) => {
    const next = new Set(chosen.value);
    next.has(id) ? next.delete(id) : next.add(id);
    chosen.value = next;
  };
  return (
    <>
      <div class="list-head">
        <span class="soft" aria-live="polite">
          {w().shown(number(rows.length), ended.hasMore || now.data?.next != null)}
          {isPaused.value && ` · ${w().paused}`}
        </span>
        {ended.held.length > 0 && (
          <button onClick={ended.showHeld}>{w().newRows(ended.held.length)}</button>
        )}
        <Acts
          filter={filter}
          chosen={chosen.value}
          rows={rows}
          clear={() => (chosen.value = new Set())}
        />
      </div>
      {live.length > 0 && now.data?.next != null && state === '' && (
        <p class="bar-note">{w().firstShown(number(live.length))}</p>
      )}
      <Grid
        label={w().tasks}
        rows={rows}
        columns={columns(
          project !== '' && kFilters.every((name) => name === 'project' || filter[name] === ''),
        )}
        keyOf={(row) => row.id}
        linkOf={(row) => `/tasks/${row.id}`}
        lines={lines}
        isEndless={ended.hasMore}
        onEnd={ended.onEnd}
        chosen={chosen.value}
        onChoose={choose}
      />
      {ended.hasMore && <p class="soft centred">{w().loadingMore}</p>}
    </>
  );
}

import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { address } from '../api';
import { status, useAsked } from '../asked';
import { kListMs, kPage, type Page, useEnded, useNews } from '../ended';
import { Empty, Refused, Screen, Skeleton } from '../parts/frame';
import { Grid } from '../parts/grid';
import { number } from '../parts/shown';
import { ask, query } from '../router';
import { isNarrow, isPaused, isSplit, isWide, w } from '../settings';
import { among, type Counts, isAmong, kSettled, kUnsettled, type Row } from '../types';
import { may } from '../who';
import { Story } from './story';
import { Acts, Exports } from './task_acts';
import { type Filter, filterOf, Filters, kFilters, said } from './task_query';
import { columnsOf, Columns, lines, sorted, useSort } from './task_rows';

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
      <List filter={filter} isOfProject />
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

const kEver = { since: '0', until: '9999999999999', step: '36500d' };

/** How many that ended match, whatever is shown of them; null: nobody counts words. */
function useMatching(filter: Filter): number | null {
  const { state, ran, since, until, text } = filter;
  const isCounted = text === '' && ran === '' && isAmong(state, kSettled);
  const times =
    since === '' && until === ''
      ? kEver
      : { since: since || '0', until: until || kEver.until, step: kEver.step };
  const answer = useAsked<Counts>(
    isCounted
      ? address('/history/counts', { ...filter, state: among(state, kSettled), ...times })
      : null,
    5000,
  );
  const counts = answer.data;
  if (!counts || counts.counted_from !== null) return null;
  return [counts.done, counts.failed, counts.dead, counts.cancelled]
    .flatMap((each) => each ?? [])
    .reduce((sum, each) => sum + each, 0);
}

function List({ filter, isOfProject = false }: { filter: Filter; isOfProject?: boolean }) {
  const { state, kind, project, worker, text, ran, since, until } = filter;
  const isLive = isAmong(state, kUnsettled);
  const isEnded = isAmong(state, kSettled);
  const isOfEnded = text !== '' || ran !== '' || since !== '' || until !== ''; // Alone.
  const livePath =
    isLive && !isOfEnded
      ? address('/tasks', { state: among(state, kUnsettled), kind, project, worker, limit: kPage })
      : null;
  const endedPath = address('/history', { ...filter, state: among(state, kSettled) });
  const now = useAsked<Page>(livePath, kListMs);
  const ended = useEnded(
    isEnded ? `${endedPath}${endedPath.includes('?') ? '&' : '?'}limit=${kPage}` : null,
  );
  const matching = useMatching(filter);
  const news = useNews();
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const sort = useSort();
  const live = now.data?.tasks ?? [];
  const gone = useComputed(() => new Set<string>());
  gone.value.clear();
  ended.rows.forEach((row) => gone.value.add(row.id));
  const rows = sorted([...live.filter((row) => !gone.value.has(row.id)), ...ended.rows], sort);

  const refusal = now.refusal ?? ended.answer.refusal;
  const isLoading =
    (livePath !== null && !now.data && !now.refusal) ||
    (isEnded && !ended.answer.data && !ended.answer.refusal);
  if (rows.length === 0 && isLoading) return <Skeleton lines={10} />;
  if (rows.length === 0 && refusal && refusal.status !== 0) return <Refused refusal={refusal} />;
  if (rows.length === 0 && ended.hasMore) {
    return (
      <>
        <p class="soft">{w().stillReading}</p>
        <Skeleton />
      </>
    );
  }
  if (rows.length === 0) return <Nothing filter={filter} />;
  const choose = (id: string) => {
    const next = new Set(chosen.value);
    next.has(id) ? next.delete(id) : next.add(id);
    chosen.value = next;
  };
  const isBeside = isSplit.value && isWide.value;
  const open = isBeside ? (query.value.get('open') ?? '') : '';
  const hasMore = ended.hasMore || now.data?.next != null;
  return (
    <>
      <div class="list-head">
        <span class="soft" aria-live="polite">
          {matching !== null && hasMore
            ? w().shownOf(number(rows.length), number(matching + live.length))
            : w().shown(number(rows.length), hasMore)}
          {sort && hasMore && ` · ${w().sortedAmong}`}
          {isPaused.value && ` · ${w().paused}, ${w().newRows(news)}`}
        </span>
        {ended.held.length > 0 && (
          <button onClick={ended.showHeld}>{w().newRows(ended.held.length)}</button>
        )}
        <span class="acts">
          <Acts
            filter={filter}
            chosen={chosen.value}
            rows={rows}
            clear={() => (chosen.value = new Set())}
          />
          {isEnded && (
            <Exports path={endedPath} chosen={rows.filter((row) => chosen.value.has(row.id))} />
          )}
          {!isNarrow.value && <Columns isOfProject={isOfProject} />}
          {isWide.value && (
            <button
              class="plain"
              aria-pressed={isSplit.value}
              onClick={() => (isSplit.value = !isSplit.value)}
            >
              {w().beside}
            </button>
          )}
        </span>
      </div>
      {live.length > 0 && now.data?.next != null && state === '' && (
        <p class="bar-note">{w().firstShown(number(live.length))}</p>
      )}
      {ended.answer.data?.complete === false && <p class="bar-note">{w().indexLags}</p>}
      <div class={open ? 'split' : ''}>
        <div>
          <Grid
            label={w().tasks}
            rows={rows}
            columns={columnsOf(isOfProject, open !== '')}
            keyOf={(row: Row) => row.id}
            linkOf={(row) => `/tasks/${row.id}`}
            onOpen={isBeside ? (row) => ask({ open: row.id }) : undefined}
            lines={lines}
            current={open}
            isEndless={ended.hasMore}
            onEnd={ended.onEnd}
            chosen={chosen.value}
            onChoose={choose}
            sort={sort}
            onSort={(name) =>
              ask({ sort: sort?.name !== name ? name : sort.isDown ? `-${name}` : '' })
            }
          />
          {ended.hasMore && <p class="soft centred">{w().loadingMore}</p>}
        </div>
        {open !== '' && <Beside key={open} id={open} />}
      </div>
    </>
  );
}

function Nothing({ filter }: { filter: Filter }) {
  const isFiltered = kFilters.some((name) => filter[name] !== '');
  return isFiltered ? (
    <Empty>
      <p>{w().noMatch(said(filter))}</p>
    </Empty>
  ) : (
    <Empty>
      <p>{w().noTasks}</p>
      {may('submit') && (
        <a class="button main" href="/submit">
          {w().submitOne}
        </a>
      )}
    </Empty>
  );
}

/** A row's story at the list's right; Escape closes it. */
function Beside({ id }: { id: string }) {
  useEffect(() => {
    const on = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) ask({ open: '' });
    };
    addEventListener('keydown', on);
    return () => removeEventListener('keydown', on);
  }, []);
  return (
    <aside class="beside" aria-label={id}>
      <Story id={id} close={() => ask({ open: '' })} />
    </aside>
  );
}

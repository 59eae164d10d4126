import { useSignal } from '@preact/signals';
import { exportRows, save } from '../export';
import { number } from '../parts/shown';
import { Act, act, copy, sure, tell, tellRefusal } from '../parts/told';
import { w } from '../settings';
import { isAmong, kUnsettled, type Row } from '../types';
import { type Acted, tellReplayed } from './dead';
import { type Filter, kFilters, said } from './task_query';

interface ActsProps {
  filter: Filter;
  chosen: ReadonlySet<string>;
  rows: Row[];
  clear: () => void;
}

/** What can be done to those chosen, or to all that match. */
export function Acts({ filter, chosen, rows, clear }: ActsProps) {
  if (chosen.size > 0)
    return <OfChosen rows={rows.filter((row) => chosen.has(row.id))} clear={clear} />;
  if (filter.state === 'dead') return <ReplayAll filter={filter} />;
  const isCancellable =
    isAmong(filter.state, kUnsettled) &&
    (['text', 'ran', 'since', 'until'] as const).every((name) => filter[name] === '');
  if (!isCancellable || !rows.some((row) => kUnsettled.includes(row.state))) return null;
  return <CancelAll filter={filter} />;
}

function OfChosen({ rows, clear }: { rows: Row[]; clear: () => void }) {
  const open = rows.filter((row) => kUnsettled.includes(row.state));
  const dead = rows.filter((row) => row.state === 'dead');
  const cancel = async () => {
    if (!(await sure(w().cancelSure(number(open.length), ''), w().cancelThem))) return;
    for (const row of open) {
      if ((await act('DELETE', `/task/${row.id}`)) === null) return;
    }
    tell(w().cancelling(number(open.length)));
    clear();
  };
  const replay = async () => {
    const answer = await act<Acted>('POST', '/dead/replay', { ids: dead.map((row) => row.id) });
    if (!answer) return;
    tellReplayed(answer);
    clear();
  };
  return (
    <>
      {w().chosen(number(rows.length))}
      {open.length > 0 && <Act says={w().cancel} onClick={cancel} />}
      {dead.length > 0 && <Act says={w().replay} onClick={replay} />}
      <button class="plain" onClick={clear}>
        {w().chooseNone}
      </button>
    </>
  );
}

/** The number first, then the question, then the act. */
async function allThatMatch<T>(
  path: string,
  body: object,
  question: (count: string) => string,
  yes: string,
): Promise<T | null> {
  const counted = await act<{ count: number }>('POST', path, { ...body, dry_run: true });
  if (!counted) return null;
  if (counted.count === 0) {
    tell(w().nothingMatches);
    return null;
  }
  return (await sure(question(number(counted.count)), yes)) ? act<T>('POST', path, body) : null;
}

const bodyOf = (filter: Filter, names: readonly (keyof Filter)[]) => {
  const words = names.filter((name) => filter[name] !== '').map((name) => [name, filter[name]]);
  return words.length > 0 ? Object.fromEntries(words) : { all: true };
};

function CancelAll({ filter }: { filter: Filter }) {
  const cancel = async () => {
    const body = bodyOf(filter, kFilters);
    const ask = (count: string) => w().cancelSure(count, said(filter));
    const answer = await allThatMatch<{ count: number }>(
      '/tasks/cancel',
      body,
      ask,
      w().cancelThem,
    );
    if (answer) tell(w().cancelling(number(answer.count)));
  };
  return <Act says={w().cancelAll} onClick={cancel} />;
}

function ReplayAll({ filter }: { filter: Filter }) {
  // Letters are known by project and kind.
  if ((['worker', 'text', 'ran', 'since', 'until'] as const).some((name) => filter[name] !== ''))
    return null;
  const replay = async () => {
    const body = bodyOf(filter, ['project', 'kind']);
    const ask = (count: string) => w().replaySure(count, filter.project || filter.kind);
    const answer = await allThatMatch<Acted>('/dead/replay', body, ask, w().replay);
    if (answer) tellReplayed(answer);
  };
  return <Act says={w().replayMatching} onClick={replay} />;
}

/** What ended and matches, or what of it is chosen, as a file. */
export function Exports({ path, chosen }: { path: string; chosen: Row[] }) {
  const count = useSignal<number | null>(null);
  const toFile = async (isCsv: boolean, event: Event) => {
    (event.currentTarget as Element).closest('details')?.removeAttribute('open');
    if (chosen.length > 0 && !isCsv) {
      const lines = chosen.map((row) => `${JSON.stringify(row)}\n`);
      return save('eole-tasks.ndjson', lines, 'application/x-ndjson');
    }
    count.value = 0;
    try {
      const full = `${path}${path.includes('?') ? '' : '?'}`;
      const done = await exportRows(full, isCsv, (sofar) => {
        const goesOn = count.peek() !== null;
        if (goesOn) count.value = sofar;
        return goesOn;
      });
      tell(w().exported(number(done.count), done.isWhole));
    } catch (thrown) {
      tellRefusal(thrown);
    }
    count.value = null;
  };
  if (count.value !== null)
    return (
      <button onClick={() => (count.value = null)}>{w().stopExport(number(count.value))}</button>
    );
  const words = [...new URLSearchParams(path.split('?')[1] ?? '')]
    .filter(([name]) => name !== 'ran')
    .flatMap(([name, value]) => [
      `--${name}`,
      /^\d{12,}$/.test(value)
        ? new Date(Number(value)).toISOString()
        : `'${value.replaceAll("'", "'\\''")}'`,
    ]);
  return (
    <details class="menu">
      <summary class="button plain">{w().exportIt}</summary>
      <div>
        <button class="plain" onClick={(event) => toFile(false, event)}>
          NDJSON
        </button>
        <button class="plain" onClick={(event) => toFile(true, event)}>
          CSV
        </button>
        <button class="plain" onClick={() => copy(['eole history', ...words, '--json'].join(' '))}>
          {w().copyShell}
        </button>
      </div>
    </details>
  );
}

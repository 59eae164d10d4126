import { number } from '../parts/shown';
import { act, Curl, sure, tell } from '../parts/told';
import { w } from '../settings';
import { kUnsettled, type Row } from '../types';

export const kFilters = ['state', 'kind', 'project', 'worker', 'text'] as const;
export type Filter = Record<(typeof kFilters)[number], string>;

/** "state:dead kind:exec" */
export const said = (filter: Filter) =>
  kFilters
    .filter((name) => filter[name] !== '')
    .map((name) => `${name}:${filter[name]}`)
    .join(' ');

interface ActsProps {
  filter: Filter;
  chosen: ReadonlySet<string>;
  rows: Row[];
  clear: () => void;
}

/** What can be done to those chosen, or to all that match. */
export function Acts({ filter, chosen, rows, clear }: ActsProps) {
  const open = rows.filter((row) => chosen.has(row.id) && kUnsettled.includes(row.state));
  if (chosen.size > 0) {
    const cancel = async () => {
      if (!(await sure(w().cancelSure(number(open.length), ''), w().cancelThem))) return;
      for (const row of open) {
        if ((await act('DELETE', `/task/${row.id}`)) === null) return;
      }
      tell(w().cancelling(number(open.length)));
      clear();
    };
    return (
      <span class="acts">
        {w().chosen(number(chosen.size))}
        <button disabled={open.length === 0} onClick={cancel}>
          {w().cancel}
        </button>
        <button class="plain" onClick={clear}>
          {w().chooseNone}
        </button>
      </span>
    );
  }
  const isCancellable =
    (filter.state === '' || kUnsettled.includes(filter.state)) && filter.text === '';
  if (!isCancellable || !rows.some((row) => kUnsettled.includes(row.state))) return null;
  const words = kFilters.filter((name) => filter[name] !== '').map((name) => [name, filter[name]]);
  const body = words.length > 0 ? Object.fromEntries(words) : { all: true };
  const cancelAll = async () => {
    const counted = await act<{ count: number }>('POST', '/tasks/cancel', {
      ...body,
      dry_run: true,
    });
    if (!counted) return;
    if (counted.count === 0) return tell(w().nothingMatches);
    const which = said(filter);
    if (!(await sure(w().cancelSure(number(counted.count), which), w().cancelThem))) return;
    if (await act('POST', '/tasks/cancel', body)) tell(w().cancelling(number(counted.count)));
  };
  return (
    <span class="acts">
      <button onClick={cancelAll}>{w().cancelAll}</button>
      <Curl method="POST" path="/tasks/cancel" body={body} />
    </span>
  );
}

import type { ComponentChildren } from 'preact';
import type { Column, Sort } from '../parts/grid';
import { TaskId } from '../parts/links';
import { Ago, brief, capital, Mark, number, unix } from '../parts/shown';
import { ask, query } from '../router';
import { w } from '../settings';
import type { Row } from '../types';

const ranMs = (row: Row) => {
  const began = unix(row.began);
  const ended = unix(row.ended);
  return began && ended ? Math.max(0, ended - began) : null;
};
const waitedMs = (row: Row) => {
  const submitted = unix(row.submitted);
  const began = unix(row.began);
  return submitted && began ? Math.max(0, began - submitted) : null;
};
const span = (ms: number | null) => (ms === null ? '' : brief(ms / 1000));
const whenOf = (row: Row) => unix(row.ended ?? row.submitted) ?? 0;

// Of what waits, until when; of what ended, what it came to.
const summary = (row: Row): ComponentChildren =>
  row.waits_until ? (
    <>
      {w().notBefore} <Ago when={row.waits_until} />
    </>
  ) : (
    // What failed says so itself; of what died, Eole.
    (row.state === 'dead' && row.error ? w().toldReason(row.error) : row.error) || row.summary || ''
  );

interface TaskColumn extends Column<Row> {
  by?: (row: Row) => number | string;
}

const all = (): TaskColumn[] => [
  {
    name: 'state',
    title: w().filterNames.state,
    width: '96px',
    by: (row) => row.state,
    show: (row) => <Mark state={row.state} />,
  },
  {
    name: 'id',
    title: 'id',
    width: '108px',
    show: (row) => <TaskId id={row.id} isInRow />,
  },
  {
    name: 'kind',
    title: w().filterNames.kind,
    width: '76px',
    by: (row) => row.kind,
    show: (row) => row.kind,
  },
  {
    name: 'project',
    title: w().filterNames.project,
    width: 'minmax(50px, 90px)',
    by: (row) => row.project,
    show: (row) => row.project,
  },
  {
    name: 'summary',
    title: w().summary,
    width: 'minmax(80px, 1fr)',
    show: (row) => <span class="cut soft">{summary(row)}</span>,
  },
  {
    name: 'attempt',
    title: w().attempts,
    width: '60px',
    isNumber: true,
    by: (row) => row.attempts || row.attempt || 0,
    show: (row) => row.attempts || row.attempt || '',
  },
  {
    name: 'worker',
    title: w().filterNames.worker,
    width: '64px',
    by: (row) => row.worker ?? '',
    show: (row) => row.worker ?? '',
  },
  {
    name: 'submitted',
    title: capital(w().submitted),
    width: '96px',
    isNumber: true,
    by: (row) => unix(row.submitted) ?? 0,
    show: (row) => <Ago when={row.submitted} />,
  },
  {
    name: 'waited',
    title: capital(w().waited),
    width: '80px',
    isNumber: true,
    by: (row) => waitedMs(row) ?? -1,
    show: (row) => span(waitedMs(row)),
  },
  {
    name: 'ran',
    title: w().ran,
    width: '80px',
    isNumber: true,
    by: (row) => ranMs(row) ?? -1,
    show: (row) => span(ranMs(row)),
  },
  {
    name: 'began',
    title: w().began,
    width: '104px',
    isNumber: true,
    by: (row) => unix(row.began) ?? 0,
    show: (row) => <Ago when={row.began} />,
  },
  {
    name: 'offset',
    title: w().head,
    width: '84px',
    isNumber: true,
    show: (row) => (row.offset === undefined ? '' : number(row.offset)),
  },
  {
    name: 'when',
    title: w().when,
    width: '96px',
    isNumber: true,
    by: whenOf,
    show: (row) => <Ago when={row.ended ?? row.submitted} />,
  },
];

const kUsual =
  'state,id,kind,project,summary,attempt,worker,waited,ran,when'.split(',');
const kBeside = ['state', 'id', 'kind', 'summary'];

const chosenNames = (isOfProject: boolean) =>
  query.value.get('cols')?.split(',') ??
  kUsual.filter((name) => !(isOfProject && name === 'project'));

export function columnsOf(isOfProject: boolean, isBeside: boolean): Column<Row>[] {
  const names = isBeside ? kBeside : chosenNames(isOfProject);
  return all()
    .filter((column) => names.includes(column.name))
    .map((column) => ({ ...column, isSortable: column.by !== undefined }));
}

/** Which columns there are; the address keeps it. */
export function Columns({ isOfProject }: { isOfProject: boolean }) {
  const names = chosenNames(isOfProject);
  return (
    <details class="menu">
      <summary class="button plain">{w().columns}</summary>
      <div>
        {all().map(({ name, title }) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={names.includes(name)}
              disabled={name === 'id'}
              onChange={() => {
                const next = names.includes(name)
                  ? names.filter((each) => each !== name)
                  : [...names, name];
                ask({ cols: next.join() === kUsual.join() ? '' : next.join() });
              }}
            />{' '}
            {title}
          </label>
        ))}
      </div>
    </details>
  );
}

export function useSort(): Sort | null {
  const said = query.value.get('sort') ?? '';
  if (said === '') return null;
  return { name: said.replace('-', ''), isDown: !said.startsWith('-') };
}

/** Of those that are shown. */
export function sorted(rows: Row[], sort: Sort | null): Row[] {
  const by = sort && all().find((column) => column.name === sort.name)?.by;
  if (!by) return rows;
  const sign = sort.isDown ? -1 : 1;
  return rows.sort((one, other) => {
    const [first, second] = [by(one), by(other)];
    return first === second ? 0 : (first < second ? -1 : 1) * sign;
  });
}

/** A task in two lines, for narrow screens. */
export const lines = (row: Row): [ComponentChildren, ComponentChildren] => [
  <>
    <Mark state={row.state} /> <strong>{row.kind}</strong> <TaskId id={row.id} isInRow />
    <span class="push">
      <Ago when={row.ended ?? row.submitted} />
    </span>
  </>,
  <span class="soft cut">
    {row.project}
    {row.project !== '' && summary(row) !== '' && ' · '}
    {summary(row)}
  </span>,
];

import type { ComponentChildren } from 'preact';
import type { Column } from '../parts/grid';
import { Ago, Mark, seconds, unix } from '../parts/shown';
import { w } from '../settings';
import type { Row } from '../types';

function ran(row: Row): string {
  const began = unix(row.began);
  const ended = unix(row.ended);
  return began && ended ? seconds(Math.max(0, (ended - began) / 1000)) : '';
}
const summary = (row: Row) => row.error || row.summary || '';

export const columns = (isOfProject: boolean): Column<Row>[] => [
  {
    name: 'state',
    title: w().filterNames.state,
    width: '104px',
    show: (row) => <Mark state={row.state} />,
  },
  {
    name: 'id',
    title: 'id',
    width: '116px',
    show: (row) => (
      <a class="mono" href={`/tasks/${row.id}`} tabIndex={-1}>
        {row.id}
      </a>
    ),
  },
  { name: 'kind', title: w().filterNames.kind, width: '84px', show: (row) => row.kind },
  ...(isOfProject
    ? []
    : [
        {
          name: 'project',
          title: w().filterNames.project,
          width: 'minmax(60px, 110px)',
          show: (row: Row) => row.project,
        },
      ]),
  {
    name: 'summary',
    title: w().summary,
    width: 'minmax(80px, 1fr)',
    show: (row) => <span class="cut soft">{summary(row)}</span>,
  },
  {
    name: 'attempt',
    title: w().attempts,
    width: '64px',
    isNumber: true,
    show: (row) => row.attempts || row.attempt || '',
  },
  { name: 'worker', title: w().filterNames.worker, width: '76px', show: (row) => row.worker ?? '' },
  { name: 'ran', title: w().ran, width: '68px', isNumber: true, show: ran },
  {
    name: 'when',
    title: w().when,
    width: '96px',
    isNumber: true,
    show: (row) => <Ago when={row.ended ?? row.submitted} />,
  },
];

/** A task in two lines, for narrow screens. */
export const lines = (row: Row): [ComponentChildren, ComponentChildren] => [
  <>
    <Mark state={row.state} /> <strong>{row.kind}</strong>{' '}
    <a class="mono" href={`/tasks/${row.id}`} tabIndex={-1}>
      {row.id}
    </a>
    <span class="push">
      <Ago when={row.ended ?? row.submitted} />
    </span>
  </>,
  <span class="soft cut">
    {[row.project, summary(row)].filter((part) => part !== '').join(' · ')}
  </span>,
];

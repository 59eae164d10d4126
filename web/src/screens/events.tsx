import { isLive, notes } from '../live';
import { Empty, Screen } from '../parts/frame';
import { Grid } from '../parts/grid';
import { Mark, number } from '../parts/shown';
import { copy } from '../parts/told';
import { w } from '../settings';

/** Notifications as they come, by their place in the log. */
export function Events() {
  const rows = notes.value;
  const address = `${location.origin.replace(/^http/, 'ws')}/notifications?from=latest`;
  return (
    <Screen
      title={w().events}
      aside={
        <>
          <span class="soft">{isLive.value ? w().liveNow : w().polling}</span>
          <button class="plain" onClick={() => copy(address)}>
            {w().copyWebSocket}
          </button>
          <button class="plain" onClick={() => copy(`curl -N '${location.origin}/events'`)}>
            {w().copyCurl}
          </button>
        </>
      }
    >
      {rows.length === 0 ? (
        <Empty>{w().noEvents}</Empty>
      ) : (
        <Grid
          label={w().events}
          rows={rows}
          keyOf={(note) => String(note.offset)}
          linkOf={(note) => `/tasks/${note.id}`}
          columns={[
            {
              name: 'offset',
              title: w().head,
              width: '96px',
              isNumber: true,
              show: (note) => number(note.offset ?? 0),
            },
            {
              name: 'state',
              title: w().filterNames.state,
              width: '124px',
              show: (note) => <Mark state={note.state ?? ''} />,
            },
            {
              name: 'id',
              title: 'id',
              width: '132px',
              show: (note) => (
                <a class="mono" tabIndex={-1} href={`/tasks/${note.id}`}>
                  {note.id}
                </a>
              ),
            },
            {
              name: 'kind',
              title: w().filterNames.kind,
              width: '120px',
              show: (note) => note.kind,
            },
            {
              name: 'project',
              title: w().filterNames.project,
              width: '1fr',
              show: (note) => note.project,
            },
            {
              name: 'worker',
              title: w().filterNames.worker,
              width: '120px',
              show: (note) => note.worker,
            },
          ]}
          lines={(note) => [
            <>
              <Mark state={note.state ?? ''} /> <span class="mono">{note.id}</span>
            </>,
            <span class="soft">
              {[note.kind, note.project, note.worker].filter(Boolean).join(' · ')}
            </span>,
          ]}
        />
      )}
    </Screen>
  );
}

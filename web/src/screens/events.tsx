import { useRef } from 'preact/hooks';
import { curl } from '../curl';
import { headNow, isLive, notes } from '../live';
import { Empty, Screen } from '../parts/frame';
import { Grid } from '../parts/grid';
import { Mark, now, number } from '../parts/shown';
import { copy } from '../parts/told';
import { ask, query } from '../router';
import { w } from '../settings';
import type { Note } from '../types';

const topicOf = (note: Note) => `${note.project ?? ''}/${note.kind ?? ''}/${note.state ?? ''}`;

// "shop/*/failed": * is one word, # any number of them.
function patternOf(topic: string): RegExp {
  const words = topic
    .split('/')
    .map((word) =>
      word === '*' ? '[^/]*' : word === '#' ? '.*' : word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    );
  return new RegExp(`^${words.join('/').replaceAll('.*/', '(.*/)?').replaceAll('/.*', '(/.*)?')}$`);
}

// Of the last seconds, by the log's own numbers.
function useRate(): number {
  const before = useRef<{ at: number; head: number; rate: number } | null>(null);
  const head = headNow.value ?? 0;
  const last = before.current;
  if (last === null) before.current = { at: now.value, head, rate: 0 };
  else if (now.value - last.at >= 4000)
    before.current = {
      at: now.value,
      head,
      rate: Math.round(Math.max(0, head - last.head) / ((now.value - last.at) / 1000)),
    };
  return before.current?.rate ?? 0;
}

/** Notifications as they come, by their place in the log. */
export function Events() {
  const topic = query.value.get('topic') ?? '#';
  const pattern = patternOf(topic);
  const rows = notes.value.filter((note) => pattern.test(topicOf(note)));
  const news = useRate();
  const asked = `topic=${encodeURIComponent(topic)}&from=${rows[0]?.offset ?? 'latest'}`;
  const lines: [string, string][] = [
    [w().copyWebSocket, `${location.origin.replace(/^http/, 'ws')}/notifications?${asked}`],
    ['SSE', `${location.origin}/events?${asked}`],
    ['WAMP', `${location.origin.replace(/^http/, 'ws')}/wamp  # realm eole, topic eole.`],
    [w().copyCurl, curl('GET', `/events?${asked}`, undefined, ['-N'])],
  ];
  return (
    <Screen
      title={w().events}
      aside={
        <>
          <span class="soft">{isLive.value ? w().liveNow : w().polling}</span>
          <span class="soft">{w().perSecond(number(news))}</span>
          {lines.map(([name, line]) => (
            <button key={name} class="plain" onClick={() => copy(line)}>
              {name}
            </button>
          ))}
        </>
      }
    >
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <input
          class="mono"
          aria-label={w().topic}
          defaultValue={topic}
          onChange={(event) => ask({ topic: event.currentTarget.value.replace(/^#$/, '') })}
        />
        <span class="soft">{w().topicHint}</span>
      </form>
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

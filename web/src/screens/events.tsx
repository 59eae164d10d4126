import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { address } from '../api';
import { curl } from '../curl';
import { useNews } from '../ended';
import { headNow, isLive, notes } from '../live';
import { Empty, Screen } from '../parts/frame';
import { Grid } from '../parts/grid';
import { isOffset, Jump, placeAsked, timeOf } from '../parts/jump';
import { TaskId } from '../parts/links';
import { Mark, now, number } from '../parts/shown';
import { act, copy } from '../parts/told';
import { ask, query } from '../router';
import { isPaused, w } from '../settings';
import type { Note, Row } from '../types';

const kShowMs = 100;
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

const kReadMax = 500; // Events of one look.

/** Events from an offset or a time on, the oldest first; more of them when the reader is there. */
function useFrom(at: string, topic: string) {
  const state = useSignal<{ rows: Note[]; keptFrom: number | null }>({ rows: [], keptFrom: null });
  const more = useRef<() => void>(() => undefined);
  useEffect(() => {
    state.value = { rows: [], keptFrom: null };
    if (at === '') return;
    let socket: WebSocket | null = null;
    let isGone = false;
    const read = (from: number) => {
      if (isGone) return;
      const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
      const place = address('/notifications', { topic, from });
      const opened = new WebSocket(`${scheme}://${location.host}${place}`);
      socket = opened;
      let fresh: Note[] = [];
      const show = () => {
        if (fresh.length > 0)
          state.value = { ...state.peek(), rows: [...state.peek().rows, ...fresh] };
        fresh = [];
      };
      let count = 0;
      opened.onmessage = (event) => {
        const note = JSON.parse(String(event.data)) as Note & { kept_from?: number };
        if (note.type === 'gone') state.value = { rows: [], keptFrom: note.kept_from ?? 0 };
        if (note.type !== undefined || note.offset === undefined) return;
        if (fresh.push(note) === 1) setTimeout(show, kShowMs);
        if ((count += 1) < kReadMax) return;
        opened.close();
        show();
        more.current = () => {
          more.current = () => undefined;
          read((note.offset ?? 0) + 1);
        };
      };
    };
    const begin = async () => {
      if (isOffset(at)) return read(Number(at));
      const path = address('/history', { until: timeOf(at), limit: 1 });
      const page = await act<{ rows: Row[] }>('GET', path);
      if (page) read((page.rows[0]?.offset ?? -1) + 1);
    };
    void begin();
    return () => {
      isGone = true;
      more.current = () => undefined;
      socket?.close();
    };
  }, [at, topic]);
  return { ...state.value, more: () => more.current() };
}

/** Notifications as they come, by their place in the log; or from a place on. */
export function Events() {
  const topic = query.value.get('topic') ?? '#';
  const pattern = patternOf(topic);
  const at = placeAsked();
  const from = useFrom(at, topic);
  const rows = at === '' ? notes.value.filter((note) => pattern.test(topicOf(note))) : from.rows;
  const rate = useRate();
  const news = useNews();
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
          {isPaused.value && <span class="soft">{w().newRows(news)}</span>}
          <span class="soft">{isLive.value ? w().liveNow : w().polling}</span>
          <span class="soft">{w().perSecond(number(rate))}</span>
          {lines.map(([name, line]) => (
            <button key={name} class="plain" onClick={() => copy(line)}>
              {name}
            </button>
          ))}
        </>
      }
    >
      <div class="filters">
        <form class="topic" role="search" onSubmit={(event) => event.preventDefault()}>
          <input
            class="mono"
            aria-label={w().topic}
            defaultValue={topic}
            onChange={(event) => ask({ topic: event.currentTarget.value.replace(/^#$/, '') })}
          />
          <span class="soft">{w().topicHint}</span>
        </form>
        <Jump />
      </div>
      {rows.length === 0 ? (
        <Empty>
          {at === ''
            ? w().noEvents
            : from.keptFrom === null
              ? w().noEventsFrom(at)
              : w().notKept(number(from.keptFrom))}
        </Empty>
      ) : (
        <Grid
          label={w().events}
          rows={rows}
          keyOf={(note) => String(note.offset)}
          onEnd={from.more}
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
              show: (note) => <TaskId id={note.id ?? ''} isInRow />,
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

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { address, call, pause, Refusal } from '../api';
import { useAsked } from '../asked';
import { curl } from '../curl';
import { Empty, Refused, Screen, Skeleton } from '../parts/frame';
import { Grid } from '../parts/grid';
import { isOffset, Jump, placeAsked, timeOf } from '../parts/jump';
import { TaskId } from '../parts/links';
import { clock } from '../parts/shown';
import { copy } from '../parts/told';
import { ask, query } from '../router';
import { isPaused, w } from '../settings';
import { seesAll } from '../who';

interface Line {
  offset: number;
  time: string;
  level: 'info' | 'warn' | 'error';
  role: string;
  name: string;
  task?: string;
  text: string;
}
interface Lines {
  lines: Line[];
  next: number | null;
  head: number;
}

const kFilters = ['level', 'role', 'task'] as const;
const kLevels = ['info', 'warn', 'error'];
const kRoles = ['ventilator', 'sink', 'worker', 'gateway'];
const kLines = 200;
const kKept = 2000; // Lines that the screen holds.
const kLookMs = 2000;
const kLastMs = 10_000; // Between two looks at what may be the last words.
const kStream = ['-N', '-H', "'Accept: text/event-stream'"];

const filterOf = () =>
  Object.fromEntries(kFilters.map((name) => [name, query.value.get(name) ?? ''])) as Record<
    (typeof kFilters)[number],
    string
  >;

/** What the roles say of their work, on all machines, the newest first. */
export function Logs() {
  const filter = filterOf();
  const wanted = address('/logs', filter);
  const at = placeAsked();
  const { lines, refusal, isAsked, more } = useLines(wanted, at);
  return (
    <Screen
      title={w().logs}
      aside={
        <button class="plain" onClick={() => copy(curl('GET', wanted, undefined, kStream))}>
          {w().copyCurl}
        </button>
      }
    >
      <Filters filter={filter} />
      {refusal && refusal.status !== 0 ? (
        <Refused refusal={refusal} />
      ) : !isAsked ? (
        <Skeleton lines={10} />
      ) : lines.length === 0 ? (
        <Empty>
          <p>{w().noLines}</p>
        </Empty>
      ) : (
        <Table lines={lines} onEnd={at === '' ? undefined : more} />
      )}
    </Screen>
  );
}

interface Read {
  lines: Line[];
  refusal: Refusal | null;
  isAsked: boolean;
}

// Behind which line it begins.
const firstOf = (at: string) =>
  isOffset(at)
    ? `after=${Math.max(0, Number(at) - 1)}`
    : `since=${encodeURIComponent(timeOf(at))}&after=0`;

// A page, and then what comes behind it; nobody looks: nothing is asked. From a place on the oldest
// is the first, and the next page comes when the reader is there.
function useLines(wanted: string, at: string): Read & { more: () => void } {
  const state = useSignal<Read>({ lines: [], refusal: null, isAsked: false });
  const more = useRef<() => void>(() => undefined);
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    let after: number | null = null;
    state.value = { lines: [], refusal: null, isAsked: false };
    const with_ = (options: string) => wanted + (wanted.includes('?') ? '&' : '?') + options;
    let isLooking = false;
    const look = async () => {
      if (isLooking) return;
      isLooking = true;
      let refusal: Refusal | null = null;
      let isBehind = false;
      if (!document.hidden && !(isPaused.peek() && after !== null)) {
        try {
          const place = after !== null ? `after=${after}&` : at === '' ? '' : `${firstOf(at)}&`;
          const path = with_(`${place}limit=${kLines}`);
          const page: Lines = await call<Lines>('GET', path);
          if (isGone) return;
          const isNewestFirst = after === null && at === '';
          const fresh = isNewestFirst || at !== '' ? page.lines : page.lines.reverse();
          isBehind = at === '' && after !== null && (page.next ?? after) < page.head;
          after = isNewestFirst ? page.head : (page.next ?? after);
          const before = state.peek();
          if (fresh.length > 0 || !before.isAsked || before.refusal)
            state.value = {
              lines:
                at === ''
                  ? [...fresh, ...before.lines].slice(0, kKept)
                  : [...before.lines, ...fresh],
              refusal: null,
              isAsked: true,
            };
        } catch (thrown) {
          refusal = thrown instanceof Refusal ? thrown : new Refusal(0, String(thrown));
          if (!isGone) state.value = { ...state.peek(), refusal };
        }
      }
      isLooking = false;
      if (isGone || (at !== '' && refusal?.status !== 0)) return;
      const rest = isBehind ? 0 : refusal?.status === 0 ? pause() : kLookMs;
      timer = setTimeout(() => void look(), rest);
    };
    more.current = () => void look();
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [wanted, at]);
  return { ...state.value, more: () => more.current() };
}

function Filters({ filter }: { filter: ReturnType<typeof filterOf> }) {
  const choice = (name: 'level' | 'role', all: string, choices: string[]) => (
    <select
      key={name}
      aria-label={name === 'level' ? w().level : w().role}
      value={filter[name]}
      onChange={(event) => ask({ [name]: event.currentTarget.value })}
    >
      <option value="">{all}</option>
      {choices.map((each) => (
        <option key={each} value={each}>
          {name === 'level' ? levelWord(each) : each}
        </option>
      ))}
    </select>
  );
  return (
    <div class="filters" role="search">
      {choice('level', w().anyLevel, kLevels)}
      {choice('role', w().anyRole, kRoles)}
      <input
        aria-label={w().taskId}
        placeholder={w().taskId}
        value={filter.task}
        onChange={(event) => ask({ task: event.currentTarget.value.trim() })}
      />
      {kFilters.some((name) => filter[name] !== '') && (
        <button class="plain" onClick={() => ask({ level: '', role: '', task: '' })}>
          {w().clearFilters}
        </button>
      )}
      <Jump />
    </div>
  );
}

const kLast = 3;

interface LastWordsProps {
  role: string;
  name?: string; // Of one of several.
  isAway: boolean;
}

/**
 * What a role that is away said last. The sink keeps what all say: it is asked before the role is
 * away, too, so that what the sink said itself is known then.
 */
export function LastWords({ role, name, isAway }: LastWordsProps) {
  const path = address('/logs', { role, limit: name ? kLines : kLast });
  const answer = useAsked<Lines>(seesAll() ? path : null, kLastMs);
  if (!isAway || !(answer.data || answer.refusal)) return null;
  const lines = answer.data?.lines.filter((line) => !name || line.name === name) ?? [];
  return (
    <figure class="stream">
      <figcaption>
        {w().lastWords} <a href={address('/logs', { role })}>{w().logs}</a>
      </figcaption>
      {lines.length > 0 ? (
        <pre class="output">
          {lines
            .slice(0, kLast)
            .reverse()
            .map((line) => `${clock(Date.parse(line.time))} ${line.text}`)
            .join('\n')}
        </pre>
      ) : (
        answer.refusal && <p class="soft">{w().wordsElsewhere(role)}</p>
      )}
    </figure>
  );
}

const levelWord = (level: string) => w().levels[level as Line['level']] ?? level;
const byWhom = (line: Line) => (line.name === '' ? line.role : `${line.role} ${line.name}`);

function Level({ line }: { line: Line }) {
  return <span class={`level is-${line.level}`}>{levelWord(line.level)}</span>;
}

function Said({ line }: { line: Line }) {
  return (
    <span title={line.text}>
      {line.task && (
        <>
          <TaskId id={line.task} isInRow />{' '}
        </>
      )}
      {line.text}
    </span>
  );
}

function Table({ lines, onEnd }: { lines: Line[]; onEnd: (() => void) | undefined }) {
  return (
    <Grid
      label={w().logs}
      rows={lines}
      keyOf={(line) => String(line.offset)}
      onEnd={onEnd}
      columns={[
        {
          name: 'time',
          title: w().time,
          width: '184px',
          show: (line) => (
            <time dateTime={line.time} title={`${w().head} ${line.offset}`}>
              {clock(Date.parse(line.time), true)}
            </time>
          ),
        },
        {
          name: 'level',
          title: w().level,
          width: '112px',
          show: (line) => <Level line={line} />,
        },
        { name: 'who', title: w().role, width: '168px', show: byWhom },
        { name: 'text', title: w().said, width: '1fr', show: (line) => <Said line={line} /> },
      ]}
      lines={(line) => [
        <>
          <Level line={line} />{' '}
          <span class="soft">{`${clock(Date.parse(line.time))} · ${byWhom(line)}`}</span>
        </>,
        <Said line={line} />,
      ]}
    />
  );
}

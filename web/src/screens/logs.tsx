import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { address, call, pause, Refusal } from '../api';
import { curl } from '../curl';
import { Empty, Screen, Skeleton } from '../parts/frame';
import { Grid } from '../parts/grid';
import { clock } from '../parts/shown';
import { copy } from '../parts/told';
import { ask, query } from '../router';
import { isPaused, w } from '../settings';

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
  const { lines, refusal, isAsked } = useLines(wanted);
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
        <Empty>
          <p>
            <strong>{refusal.status >= 502 ? w().roleAway : w().refused}</strong>
          </p>
          <p class="mono">{refusal.detail}</p>
        </Empty>
      ) : !isAsked ? (
        <Skeleton lines={10} />
      ) : lines.length === 0 ? (
        <Empty>
          <p>{w().noLines}</p>
        </Empty>
      ) : (
        <Table lines={lines} />
      )}
    </Screen>
  );
}

// A page, and then what comes behind it; nobody looks: nothing is asked.
function useLines(wanted: string) {
  const state = useSignal<{ lines: Line[]; refusal: Refusal | null; isAsked: boolean }>({
    lines: [],
    refusal: null,
    isAsked: false,
  });
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    let after: number | null = null;
    state.value = { lines: [], refusal: null, isAsked: false };
    const with_ = (options: string) => wanted + (wanted.includes('?') ? '&' : '?') + options;
    const look = async () => {
      let refusal: Refusal | null = null;
      let isBehind = false;
      if (!document.hidden && !(isPaused.peek() && after !== null)) {
        try {
          const path = with_(after === null ? `limit=${kLines}` : `after=${after}&limit=${kLines}`);
          const page: Lines = await call<Lines>('GET', path);
          if (isGone) return;
          const more = after === null ? page.lines : page.lines.reverse();
          isBehind = after !== null && (page.next ?? after) < page.head;
          after = after === null ? page.head : (page.next ?? after);
          const before = state.peek();
          if (more.length > 0 || !before.isAsked || before.refusal)
            state.value = {
              lines: [...more, ...before.lines].slice(0, kKept),
              refusal: null,
              isAsked: true,
            };
        } catch (thrown) {
          refusal = thrown instanceof Refusal ? thrown : new Refusal(0, String(thrown));
          if (!isGone) state.value = { ...state.peek(), refusal };
        }
      }
      const rest = isBehind ? 0 : refusal?.status === 0 ? pause() : kLookMs;
      if (!isGone) timer = setTimeout(() => void look(), rest);
    };
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [wanted]);
  return state.value;
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
    </div>
  );
}

const levelWord = (level: string) => w().levels[level as Line['level']] ?? level;
const who = (line: Line) => (line.name === '' ? line.role : `${line.role} ${line.name}`);

function Level({ line }: { line: Line }) {
  return <span class={`level is-${line.level}`}>{levelWord(line.level)}</span>;
}

function Said({ line }: { line: Line }) {
  return (
    <span title={line.text}>
      {line.task && (
        <>
          <a class="mono" tabIndex={-1} href={`/tasks/${line.task}`}>
            {line.task}
          </a>{' '}
        </>
      )}
      {line.text}
    </span>
  );
}

function Table({ lines }: { lines: Line[] }) {
  return (
    <Grid
      label={w().logs}
      rows={lines}
      keyOf={(line) => String(line.offset)}
      columns={[
        {
          name: 'time',
          title: w().time,
          width: '184px',
          show: (line) => <time dateTime={line.time}>{clock(Date.parse(line.time), true)}</time>,
        },
        {
          name: 'level',
          title: w().level,
          width: '88px',
          show: (line) => <Level line={line} />,
        },
        { name: 'who', title: w().role, width: '168px', show: who },
        { name: 'text', title: w().said, width: '1fr', show: (line) => <Said line={line} /> },
      ]}
      lines={(line) => [
        <>
          <Level line={line} /> <span class="soft">{`${clock(Date.parse(line.time))} · ${who(line)}`}</span>
        </>,
        <Said line={line} />,
      ]}
    />
  );
}

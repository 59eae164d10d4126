import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { address, call, heardAt, isOut, lost, pause } from './api';
import { awaySince, setStatus, status, useAsked } from './asked';
import { isLive, pulse } from './live';
import { Choices } from './parts/ask_form';
import { type Choice, Combo } from './parts/combo';
import { Empty, listOf, Screen } from './parts/frame';
import { projectAt } from './parts/links';
import { clock, now, number, seconds } from './parts/shown';
import { Modal, Questions, Toasts } from './parts/told';
import { go, matches, path } from './router';
import { isPaused, language, pins, type Theme, theme, w, zone } from './settings';
import { takeSample } from './samples';
import { Access } from './screens/access';
import { Cluster } from './screens/cluster';
import { Dead } from './screens/dead';
import { Events } from './screens/events';
import { Groups, lateOf, OneGroup } from './screens/groups';
import { Login, LoginOver } from './screens/login';
import { Logs } from './screens/logs';
import { lettersIn, Overview } from './screens/overview';
import { Pictures } from './screens/pictures';
import { OneProject, Projects } from './screens/projects';
import { Queens } from './screens/queens';
import { Schedules } from './screens/schedules';
import { Story } from './screens/story';
import { Submit } from './screens/submit';
import { read } from './screens/task_query';
import { Tasks } from './screens/tasks';
import { Workers } from './screens/workers';
import { kId, type Kind, type Project, type Status } from './types';
import { askWho, logOut, may, seesAll, who } from './who';

// Where each letter behind g goes.
const kScreens = [
  ['/', 'overview', 'o', Overview],
  ['/tasks', 'tasks', 't', Tasks],
  ['/projects', 'projects', 'p', Projects],
  ['/submit', 'submit', 's', Submit, 'submit'],
  ['/pictures', 'pictures', 'i', Pictures, 'submit'],
  ['/dead', 'deadLetters', 'd', Dead],
  ['/groups', 'groups', 'r', Groups],
  ['/schedules', 'schedules', 'h', Schedules],
  ['/workers', 'workers', 'w', Workers],
  ['/cluster', 'cluster', 'c', Cluster],
  ['/logs', 'logs', 'l', Logs],
  ['/access', 'access', 'a', Access, 'admin'],
] as const;
/** Not in the menu. */
const kMore = [
  ['/queens', 'queens', 'q', Queens],
  ['/events-log', 'events', 'e', Events],
] as const;
// Those that whoever looks may use.
const screens = () =>
  kScreens.filter(([to, , , , needs]) => may(needs ?? 'observe') && (to !== '/logs' || seesAll()));

export function Shell() {
  useStatus();
  // A connection that ended may have had another role.
  const isNew = isLive.value || !who.peek();
  useEffect(() => void (isNew && askWho()), [isNew]);
  const showsKeys = useSignal(false);
  useKeys(() => (showsKeys.value = true));
  return (
    <>
      <a class="skip" href="#content">
        {w().skip}
      </a>
      <Top />
      <Bars />
      <main id="content" tabIndex={-1}>
        <Here />
      </main>
      <Settings />
      <Toasts />
      <Questions />
      {isOut.value && path.value !== '/login' && <LoginOver />}
      {showsKeys.value && <Keys close={() => (showsKeys.value = false)} />}
    </>
  );
}

/** Those of one thing; each by what its address says. */
const kOfOne: [string, (said: { id: string }) => JSX.Element][] = [
  ['/tasks/:id', Story],
  ['/groups/:name', ({ id }) => <OneGroup name={id} />],
  ['/projects/:name', ({ id }) => <OneProject name={id} />],
];

function Here() {
  for (const [pattern, One] of kOfOne) {
    const [id] = matches(pattern) ?? [];
    if (id !== undefined) return <One key={id} id={id} />;
  }
  const found = [...kScreens, ...kMore].find(([to]) => matches(to));
  if (found) {
    const [, name, , Found, needs = 'observe'] = found;
    if (may(needs)) return <Found />;
    return (
      <Screen title={w()[name]}>
        <Empty>{w().mayNot(who.value?.role ?? 'observe', needs)}</Empty>
      </Screen>
    );
  }
  if (matches('/login')) return <Login />;
  return (
    <Screen title={w().noScreen}>
      <Empty>
        <p class="mono">{path.value}</p>
        <a href="/">{w().overview}</a>
      </Empty>
    </Screen>
  );
}

const kStatusMs = 5000;
const kOverviewMs = 1000;
const kStillMs = 2500; // There, while nothing changes: the connection tells when something does.
const kChangedMs = 3000;

// One look at the cluster for all screens: each second on the overview, else when something changed.
function useStatus(): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let isAsking = false;
    let askedAt = 0;
    let figures = '';
    let isMoving = true;
    const look = async () => {
      clearTimeout(timer);
      if (!isAsking && !document.hidden && !(isPaused.peek() && status.peek())) {
        isAsking = true;
        askedAt = Date.now();
        try {
          const next = await call<Status>('GET', '/cluster');
          const { accepted, queued, running } = next.ventilator ?? {};
          const said = JSON.stringify([accepted, queued, running, next.sink?.head]);
          isMoving = said !== figures;
          figures = said;
          setStatus(next);
          takeSample(next);
        } catch {
          // The bar says so.
        }
        isAsking = false;
      }
      const often = path.peek() === '/' || lost.peek() !== null || awaySince.peek().sink !== null;
      timer = setTimeout(
        () => void look(),
        lost.peek() ? pause() : !often ? kStatusMs : isMoving ? kOverviewMs : kStillMs,
      );
    };
    void look();
    const soon = () => {
      const least = path.peek() === '/' ? kOverviewMs : kChangedMs;
      if (status.peek() === null || Date.now() - askedAt >= least) void look();
    };
    const stops = [pulse.subscribe(soon), path.subscribe(soon)];
    document.addEventListener('visibilitychange', soon);
    return () => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
      document.removeEventListener('visibilitychange', soon);
    };
  }, []);
}

function Top() {
  const dead = lettersIn(useAsked<unknown>('/dead/groups', 10_000).data);
  const late = lateOf(useAsked<unknown>('/groups', 10_000).data);
  const isOpen = useSignal(false);
  const here = path.value;
  useEffect(() => {
    isOpen.value = false;
  }, [here]);
  return (
    <header class="top">
      <div class="top-line">
        <a class="brand" href="/">
          <svg viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
            <path d="M2 5h8a2 2 0 1 0-2-2M2 8.5h11M2 12h6a1.8 1.8 0 1 1-1.8 1.8" />
          </svg>
          Eole
        </a>
        <Search />
        <Connection />
        <button
          class="menu-button"
          aria-expanded={isOpen.value}
          aria-controls="menu"
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          {w().menu}
        </button>
      </div>
      <nav id="menu" class={isOpen.value ? 'is-open' : ''} aria-label={w().screens}>
        <ul>
          {screens().map(([to, name]) => (
            <li key={to}>
              <a href={to} aria-current={isHere(to, here) ? 'page' : undefined}>
                {w()[name]}
                {name === 'deadLetters' && dead > 0 && <span class="count"> {number(dead)}</span>}
                {name === 'groups' && late > 0 && (
                  <span class="count">
                    {' '}
                    {number(late)} <span class="if-room">{w().late}</span>
                  </span>
                )}
              </a>
            </li>
          ))}
          {pins.value.map((name) => (
            <li key={`pin ${name}`}>
              <a
                class="pin cut"
                href={projectAt(name)}
                aria-current={here === projectAt(name) ? 'page' : undefined}
              >
                {name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

const isHere = (to: string, here: string) =>
  to === '/' ? here === '/' : here === to || here.startsWith(`${to}/`);

/** An id goes to its story, a name to its screen; anything else is looked for in the list. */
function Search() {
  const text = useSignal('');
  const isUsed = useSignal(false);
  const asks = (path: string) => (isUsed.value ? path : null);
  const projects = useAsked<unknown>(asks('/projects'), 30_000).data;
  const kinds = useAsked<unknown>(asks('/kinds'), 30_000).data;
  const said = text.value.trim();
  const leave = (to: string) => {
    text.value = '';
    (document.activeElement as HTMLElement | null)?.blur();
    go(to);
  };
  const choices: Choice[] = [];
  const offer = (what: string, hint: string, to: string | (() => void)) => {
    if (said === '' || !` ${what}`.toLowerCase().includes(` ${said.toLowerCase()}`)) return;
    const take = typeof to === 'string' ? () => leave(to) : () => (to(), leave(path.peek()));
    choices.push({ text: what, hint, take });
  };
  for (const [to, name, letter] of [...screens(), ...kMore]) offer(w()[name], `g ${letter}`, to);
  for (const each of listOf<Project>(projects, 'projects').slice(0, 200))
    if (each.project !== '') offer(each.project, w().inProject, projectAt(each.project));
  for (const each of may('submit') ? listOf<Kind>(kinds, 'kinds') : [])
    offer(`${w().submit} ${each.name}`, w().filterNames.kind, `/submit?kind=${each.name}`);
  for (const each of ['light', 'dark'] as const)
    offer(`${w().theme}: ${w().themes[each]}`, '', () => (theme.value = each));
  offer(w().pauseIt, '', () => (isPaused.value = true));
  return (
    <div class="search" role="search" aria-label={w().search}>
      <Combo
        id="search"
        label={w().search}
        hint={w().searchHint}
        value={text.value}
        choices={choices}
        onFocus={() => (isUsed.value = true)}
        onInput={(next) => (text.value = next)}
        onEnter={() => {
          if (said === '') return;
          leave(kId.test(said) ? `/tasks/${said}` : address('/tasks', read(said)));
        }}
      />
    </div>
  );
}

function Connection() {
  const state = lost.value ? 'lost' : isLive.value ? 'live' : 'polling';
  return (
    <span class="connection">
      <span class={`dot is-${state}`} aria-hidden="true" />
      <span role="status">
        {state === 'lost' ? w().notConnected : state === 'live' ? w().liveNow : w().polling}
      </span>
      <button
        class="plain"
        aria-pressed={isPaused.value}
        onClick={() => (isPaused.value = !isPaused.value)}
      >
        {isPaused.value ? w().goOn : w().pauseIt}
      </button>
    </span>
  );
}

function Settings() {
  return (
    <footer class="settings" aria-label={w().settings}>
      {who.value?.name && (
        <span class="who">
          <span>
            {who.value.name} ({w().roleNames[who.value.role ?? 'observe']}
            {who.value.prefix && `, ${who.value.prefix}`})
          </span>
          <button class="plain" onClick={() => void logOut()}>
            {w().logOut}
          </button>
        </span>
      )}
      <label>
        {w().theme}{' '}
        <select
          value={theme.value}
          onChange={(event) => (theme.value = event.currentTarget.value as Theme)}
        >
          <Choices of={w().themes} />
        </select>
      </label>
      <label>
        {w().time}{' '}
        <select
          value={zone.value}
          onChange={(event) => (zone.value = event.currentTarget.value as 'UTC')}
        >
          <Choices of={{ relative: w().relativeTime, local: w().localTime, UTC: 'UTC' }} />
        </select>
      </label>
      <select
        aria-label="Language / Langue"
        value={language.value}
        onChange={(event) => (language.value = event.currentTarget.value)}
      >
        <Choices of={{ en: 'English', fr: 'Français' }} />
      </select>
    </footer>
  );
}

/** What a person must know of before believing what is shown. */
function Bars() {
  const gone = lost.value;
  const { ventilator, sink } = awaySince.value;
  if (gone) {
    return (
      <div class="bar-note is-wrong" role="alert">
        {w().stale(
          clock(heardAt.value),
          seconds(Math.max(1, Math.floor((gone.next - now.value) / 1000))),
        )}
      </div>
    );
  }
  if (!ventilator && !sink) return null;
  const head = status.value?.sink?.head;
  const since = (from: number) => seconds(Math.max(1, Math.round((now.value - from) / 1000)));
  return (
    <div class="bar-note" role="alert">
      {ventilator && w().ventilatorAway(since(ventilator))}
      {ventilator && sink && ' '}
      {sink &&
        (head === undefined
          ? w().sinkUnknown(since(sink))
          : w().sinkAway(since(sink), number(head)))}
    </div>
  );
}

function useKeys(help: () => void): void {
  const isGoing = useRef(0);
  useEffect(() => {
    const on = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest('input, textarea, select, dialog')) {
        if (event.key === 'Escape') target.blur();
        return;
      }
      if (event.key === '/') {
        document.getElementById('search')?.focus();
        event.preventDefault();
      } else if (event.key === '?') help();
      else if (event.key === 'j' && !target.closest('[role=row]'))
        document.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus();
      else if (event.key === 'g') isGoing.current = Date.now();
      else if (Date.now() - isGoing.current < 1500) {
        const to = [...screens(), ...kMore].find(([, , letter]) => letter === event.key)?.[0];
        isGoing.current = 0;
        if (to) go(to);
      }
    };
    addEventListener('keydown', on);
    return () => removeEventListener('keydown', on);
  }, []);
}

function Keys({ close }: { close: () => void }) {
  const keys: [string, string][] = [
    ['/', w().search],
    ...[...screens(), ...kMore].map(([, name, letter]): [string, string] => [
      `g ${letter}`,
      w()[name],
    ]),
    ['j k', w().keyRows],
    ['Enter', w().keyOpen],
    ['x', w().keyChoose],
    ['Esc', w().keyClose],
    ['?', w().keyHelp],
  ];
  return (
    <Modal title={w().keys} onClose={close}>
      <dl class="facts-list">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="actions">
        <button autofocus onClick={close}>
          {w().close}
        </button>
      </div>
    </Modal>
  );
}

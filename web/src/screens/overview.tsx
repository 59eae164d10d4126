import { useRef } from 'preact/hooks';
import { acceptedOf, awaySince, status, useAsked } from '../asked';
import { Empty, listOf, Screen, Section, Shown, Skeleton } from '../parts/frame';
import { projectAt } from '../parts/links';
import {
  Ago,
  Bar,
  coarse,
  Mark,
  now as time,
  number,
  seconds,
  Shape,
  short,
  stateWord,
  unix,
} from '../parts/shown';
import { rateNow } from '../samples';
import { knowsEole, lastSeen, w } from '../settings';
import {
  type Group,
  kSettled,
  type Project,
  type Row,
  type Status,
  type Used,
  type Worker,
} from '../types';
import { may } from '../who';
import { Away } from './away';
import { FirstVisit } from './first_visit';
import { lateOf } from './groups';
import { OverTime } from './over_time';

const kSlowMs = 5000;
const kStuckMs = 10_000;

export function Overview() {
  const now = status.value;
  const aside = may('submit') && (
    <a class="button main" href="/submit">
      {w().submit}
    </a>
  );
  if (!now) {
    return (
      <Screen title={w().overview}>
        <Skeleton lines={8} />
      </Screen>
    );
  }
  const isFirst = may('submit') && !knowsEole.value && acceptedOf(now) === 0;
  return (
    <Screen title={w().overview} aside={aside}>
      {isFirst && <FirstVisit />}
      {!isFirst && lastSeen.head >= 0 && <Away />}
      <Figures now={now} />
      <StateBar now={now} />
      <OverTime />
      <div class="columns">
        <Projects />
        <Failures />
      </div>
      <Roles now={now} />
    </Screen>
  );
}

interface FigureProps {
  name: string;
  value: string;
  to?: string;
  state?: string;
  note?: string | undefined;
}

function Figure({ name, value, to, state, note }: FigureProps) {
  const inner = (
    <>
      <span class="figure-name">
        {state && <Shape state={state} />}
        {name}
      </span>
      <span class="figure-value">{value}</span>
      <span class="figure-note">{note ?? ' '}</span>
    </>
  );
  return to ? (
    <a class="figure" href={to}>
      {inner}
    </a>
  ) : (
    <div class="figure">{inner}</div>
  );
}

function Figures({ now }: { now: Status }) {
  const workers = useAsked<Worker[] | { workers: Worker[] }>('/workers', kSlowMs);
  const first = useAsked<{ tasks: Row[] }>('/tasks?state=queued&limit=1', kSlowMs);
  const list = listOf<Worker>(workers.data, 'workers');
  const accepted = rateNow('accepted');
  const settled = rateNow('settled');
  const failed = rateNow('failed');
  const left = now.ventilator ? now.ventilator.queued - now.ventilator.waiting : 0;
  // Where the first one stays, what ends meanwhile says nothing of those behind it.
  const head = useRef({ id: '', at: 0 });
  const id = first.data?.tasks[0]?.id ?? '';
  if (id !== head.current.id) head.current = { id, at: time.value };
  const isStuck = time.value - head.current.at > kStuckMs;
  const eta = settled && left > 0 && !isStuck ? left / settled : null;
  const oldest = left > 0 ? unix(first.data?.tasks[0]?.submitted) : null;
  const waits = oldest === null ? '' : w().oldest(coarse(Math.max(0, time.value - oldest) / 1000));
  const late = lateOf(useAsked<unknown>('/groups', kSlowMs).data);
  const letters = lettersIn(useAsked<unknown>('/dead/groups', kSlowMs).data);
  const sum = (of: (worker: Worker) => number) => list.reduce((all, each) => all + of(each), 0);
  const slots = sum((worker) => worker.slots);
  const stored = sum((worker) => Math.max(0, worker.held - worker.slots));
  const a = (rate: number | null) => (rate === null ? '–' : short(rate));
  // Of a role that has not answered yet nothing is known.
  const total = (count: number | undefined) => (count === undefined ? '–' : w().total(count));
  const { ventilator, sink } = now;
  return (
    <section class="figures" aria-label={w().now}>
      <Figure
        name={w().acceptedRate}
        value={a(accepted)}
        to="/tasks"
        note={total(ventilator ? acceptedOf(now) : undefined)}
      />
      <Figure
        name={w().settledRate}
        value={a(settled)}
        to={`/tasks?state=${kSettled}`}
        note={total(sink?.settled)}
      />
      <Figure
        name={w().failedRate}
        value={a(failed)}
        state="failed"
        to="/tasks?state=failed,dead"
        note={total(sink ? sink.failed + sink.dead : undefined)}
      />
      <Figure
        name={stateWord('queued')}
        value={a(ventilator ? left : null)}
        state="queued"
        to="/tasks?state=queued"
        note={[waits, eta === null ? '' : w().doneIn(seconds(eta))].filter(Boolean).join(', ')}
      />
      <Figure
        name={stateWord('running')}
        value={a(ventilator?.running ?? null)}
        state="running"
        to="/tasks?state=running,cancelling"
        note={slots > 0 ? w().ofSlots(slots, stored) : undefined}
      />
      <Figure
        name={w().deadLetters.toLowerCase()}
        value={a(sink ? letters : null)}
        state="dead"
        to="/dead"
        note={total(sink?.dead)}
      />
      <Figure
        name={w().workers.toLowerCase()}
        value={list.length > 0 ? `${list.length}` : '0'}
        to="/workers"
        note={list.length === 0 ? w().tasksWait : w().slots(slots)}
      />
      {late > 0 && (
        <Figure
          name={w().groups.toLowerCase()}
          value={number(late)}
          state="failed"
          to="/groups"
          note={w().late}
        />
      )}
    </section>
  );
}

function StateBar({ now }: { now: Status }) {
  const { ventilator, sink } = now;
  const counts: [string, number][] = [];
  if (ventilator)
    counts.push(
      ['waiting', ventilator.waiting],
      ['queued', Math.max(0, ventilator.queued - ventilator.waiting)],
      ['running', ventilator.running],
    );
  if (sink)
    for (const state of ['done', 'failed', 'dead', 'cancelled'] as const)
      counts.push([state, sink[state]]);
  return (
    <section class="section" aria-label={w().allTasks}>
      <Bar counts={counts} />
      <ul class="legend-list">
        {counts.map(([state, count]) => (
          <li key={state}>
            <a href={`/tasks?state=${state}${state === 'running' ? ',cancelling' : ''}`}>
              <Mark state={state} /> <span class="figures-in">{number(count)}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Projects() {
  const answer = useAsked<unknown>('/projects', kSlowMs);
  return (
    <Section title={w().busiest} aside={<a href="/projects">{w().all}</a>}>
      <Shown answer={answer}>
        {(data) => {
          const list = listOf<Project>(data, 'projects')
            .filter((each) => each.project !== '')
            .sort((one, other) => busy(other) - busy(one) || other.tasks - one.tasks)
            .slice(0, 10);
          if (list.length === 0) return <Empty>{w().noProjects}</Empty>;
          return (
            <ul class="plain-list">
              {list.map((each) => (
                <li key={each.project} class="with-bar">
                  <a href={projectAt(each.project)}>{each.project}</a>
                  <Bar counts={countsOf(each)} total={each.expected ?? 0} />
                  <span class="figures-in">
                    {w().doneOf(each.done, Math.max(each.tasks, each.expected ?? 0))}
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Shown>
    </Section>
  );
}

const busy = (project: Project) => project.running + project.queued + project.waiting;

export const countsOf = (project: Project): [string, number][] =>
  (['done', 'failed', 'dead', 'cancelled', 'running', 'queued', 'waiting'] as const).map(
    (state) => [state, project[state]],
  );

function Failures() {
  const groups = useAsked<unknown>('/dead/groups', kSlowMs);
  const failed = useAsked<{ rows: Row[] }>('/history?state=failed&limit=5', kSlowMs);
  const letters = listOf<Group>(groups.data, 'groups');
  return (
    <Section title={w().newestFailures} aside={<a href="/dead">{w().deadLetters}</a>}>
      <Shown answer={failed}>
        {({ rows }) =>
          rows.length + letters.length === 0 ? (
            <Empty>{w().noFailures}</Empty>
          ) : (
            <ul class="plain-list">
              {letters.slice(0, 5).map((group) => (
                <li key={`group ${group.group}`}>
                  <Shape state="dead" />
                  <a class="cut" href={`/dead?group=${encodeURIComponent(group.group)}`}>
                    {group.group}
                  </a>
                  <span class="figures-in">× {number(group.count)}</span>
                  <Ago when={group.newest} />
                </li>
              ))}
              {rows.map((row) => (
                <li key={row.id}>
                  <Shape state="failed" />
                  <a class="cut" href={`/tasks/${row.id}`}>
                    {row.error || row.summary || row.id}
                  </a>
                  <span class="soft">{row.kind}</span>
                  <Ago when={row.ended} />
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Section>
  );
}

/** Since when it runs, and how often it had to be started again. */
function healthOf(role: Used | null): string {
  const { up_seconds: up, restarts } = role ?? {};
  return up
    ? [`${w().upSince} ${coarse(up)}`, restarts && w().startedAgain(restarts)]
        .filter(Boolean)
        .join(', ')
    : w().answers;
}

function Roles({ now }: { now: Status }) {
  const { ventilator, sink } = awaySince.value;
  const away = { ventilator, sink, gateway: null };
  return (
    <ul class="roles" aria-label={w().roles}>
      {(['ventilator', 'sink', 'gateway'] as const).map((role) => (
        <li key={role}>
          <Shape state={away[role] ? 'failed' : 'done'} /> {role}{' '}
          <span class="soft">{away[role] ? w().doesNotAnswer : healthOf(now[role])}</span>
        </li>
      ))}
      {now.sink && <li class="soft">{w().asOf(number(now.sink.head))}</li>}
      <li>
        <a href="/cluster">{w().cluster}</a>
      </li>
    </ul>
  );
}

/** How many dead letters there are, in all groups. */
export const lettersIn = (groups: unknown) =>
  listOf<Group>(groups, 'groups').reduce((sum, group) => sum + group.count, 0);

import { address } from '../api';
import { status, useAsked } from '../asked';
import { growth } from '../growth';
import { Empty, listOf, Screen, Section, Shown } from '../parts/frame';
import { type Column, Grid } from '../parts/grid';
import { projectAt } from '../parts/links';
import { Ago, Bar, capital, Mark, number, seconds, Shape, short, stateWord } from '../parts/shown';
import { Act, does } from '../parts/told';
import { pins, w } from '../settings';
import type { Group, Project } from '../types';
import { countsOf } from './overview';
import { OverTime } from './over_time';
import { ProjectMap } from './project_map';
import { Tasks } from './tasks';

export function Projects() {
  const answer = useAsked<unknown>('/projects', 2000);
  return (
    <Screen title={w().projects}>
      <Shown answer={answer}>
        {(data) => {
          const list = listOf<Project>(data, 'projects').filter((each) => each.project !== '');
          if (list.length === 0) {
            return (
              <Empty>
                <p>{w().noProjectsLong}</p>
                <pre>eole submit image *.jpg --width 800 --project photos</pre>
              </Empty>
            );
          }
          return (
            <Grid
              label={w().projects}
              rows={list}
              columns={columns()}
              keyOf={(row) => row.project}
              linkOf={(row) => projectAt(row.project)}
              lines={(row) => [
                <>
                  <a href={projectAt(row.project)} tabIndex={-1}>
                    {row.project}
                  </a>{' '}
                  <span class="soft">{w().projectStates[row.state]}</span>
                  <span class="push">{percent(row)}</span>
                </>,
                <Bar counts={countsOf(row)} total={row.expected ?? 0} />,
              ]}
            />
          );
        }}
      </Shown>
    </Screen>
  );
}

const percent = (row: Project) => `${Math.floor(row.progress * 100)} %`;
const count = (state: 'queued' | 'running' | 'done' | 'failed' | 'dead'): Column<Project> => ({
  name: state,
  title: stateWord(state),
  width: '64px',
  isNumber: true,
  show: (row) => (row[state] === 0 ? <span class="soft">0</span> : number(row[state])),
});

const columns = (): Column<Project>[] => [
  {
    name: 'project',
    title: w().filterNames.project,
    width: 'minmax(90px, 1fr)',
    show: (row) => (
      <a href={projectAt(row.project)} tabIndex={-1}>
        {row.project}
      </a>
    ),
  },
  {
    name: 'state',
    title: w().filterNames.state,
    width: '72px',
    show: (row) => w().projectStates[row.state],
  },
  {
    name: 'bar',
    title: w().progress,
    width: 'minmax(80px, 1fr)',
    show: (row) => <Bar counts={countsOf(row)} total={row.expected ?? 0} />,
  },
  { name: 'percent', title: '%', width: '52px', isNumber: true, show: percent },
  ...(['queued', 'running', 'done', 'failed', 'dead'] as const).map(count),
  { name: 'rate', title: w().settledRate, width: '76px', isNumber: true, show: rate },
  { name: 'eta', title: w().eta, width: '76px', isNumber: true, show: eta },
  {
    name: 'last',
    title: w().lastEnd,
    width: '88px',
    isNumber: true,
    show: (row) => <Ago when={row.last_unix_ms} />,
  },
];

const rate = (row: Project) => {
  const { done, failed, dead, cancelled } = row;
  const settled = growth(`project ${row.project}`, done + failed + dead + cancelled);
  return settled === null ? '–' : short(settled);
};

const eta = (row: Project) =>
  row.eta_seconds === null || row.eta_seconds === 0 || row.queued + row.running === 0
    ? ''
    : seconds(row.eta_seconds);

/** One project: how far it is, its tasks as a map and as a list. */
export function OneProject({ name }: { name: string }) {
  const answer = useAsked<Project>(projectAt(name));
  const project = answer.data;
  return (
    <Screen title={name} aside={project && <Acts project={project} />}>
      <Shown answer={answer} lines={3}>
        {(shown) => (
          <>
            <p class="headline">{sentence(shown)}</p>
            <Bar counts={countsOf(shown)} total={shown.expected ?? 0} />
            <ul class="legend-list">
              {countsOf(shown)
                .filter(([, each]) => each > 0)
                .map(([state, each]) => (
                  <li key={state}>
                    <a href={`${projectAt(name)}?state=${state}`}>
                      <Mark state={state} /> <span class="figures-in">{number(each)}</span>
                    </a>
                  </li>
                ))}
            </ul>
            {shown.first_unix_ms && (
              <p class="soft">
                {w().firstAndLast} <Ago when={shown.first_unix_ms} />,{' '}
                <Ago when={shown.last_unix_ms} />
              </p>
            )}
            {shown.result && (
              <p>
                {w().putTogether} <a href={`/tasks/${shown.result.id}`}>{shown.result.id}</a>{' '}
                <Mark state={shown.result.state} />
              </p>
            )}
          </>
        )}
      </Shown>
      <ProjectMap name={name} />
      <OverTime project={name} />
      <Reasons project={name} />
      <Tasks project={name} />
    </Screen>
  );
}

/** Of which reasons its tasks died. */
function Reasons({ project }: { project: string }) {
  const answer = useAsked<unknown>(address('/dead/groups', { project }), 5000);
  const groups = listOf<Group>(answer.data, 'groups');
  if (groups.length === 0) return null;
  return (
    <Section title={w().deadLetters}>
      <ul class="plain-list">
        {groups.slice(0, 8).map((group) => (
          <li key={group.group}>
            <Shape state="dead" />
            <a class="cut" href={address('/dead', { group: group.group })}>
              {group.group}
            </a>
            <span class="figures-in">× {number(group.count)}</span>
            <Ago when={group.newest} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function sentence(project: Project): string {
  const left = eta(project);
  const total = Math.max(project.tasks, project.expected ?? 0);
  const bad = project.failed + project.dead;
  return [
    w().projectIs(w().projectStates[project.state], number(project.done), number(total)),
    bad > 0 ? w().notDone(number(bad)) : '',
    left === '' ? '' : `${capital(w().doneIn(left))}.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function Acts({ project }: { project: Project }) {
  const name = project.project;
  const isHeld = (status.value?.ventilator?.paused ?? []).includes(`project:${name}`);
  const post = (what: string, question?: [string, string]) => () =>
    does('POST', `${projectAt(name)}/${what}`, question);
  const open = project.queued + project.running + project.waiting;
  const bad = project.failed + project.dead + project.cancelled;
  const isPinned = pins.value.includes(name);
  const pin = () => {
    const others = pins.value.filter((each) => each !== name);
    pins.value = isPinned ? others : [name, ...others].slice(0, 8);
  };
  return (
    <>
      <button class="plain" aria-pressed={isPinned} onClick={pin}>
        {isPinned ? w().unpin : w().pin}
      </button>
      {open > 0 && !isHeld && <Act needs="admin" says={w().acts.pause} onClick={post('pause')} />}
      {isHeld && <Act needs="admin" says={w().acts.resume} onClick={post('resume')} />}
      {project.state === 'open' && <Act says={w().acts.close} onClick={post('close')} />}
      {open > 0 && (
        <Act
          says={w().acts.cancel}
          onClick={post('cancel', [w().cancelSure(number(open), name), w().acts.cancel])}
        />
      )}
      {project.state === 'over' && bad > 0 && (
        <Act class="main" says={w().retryThem(number(bad))} onClick={post('retry')} />
      )}
    </>
  );
}

import type { ComponentChildren } from 'preact';
import { call } from '../api';
import { awaySince, status } from '../asked';
import { save } from '../export';
import { growth } from '../growth';
import { isLive } from '../live';
import { Screen, Section, Skeleton } from '../parts/frame';
import { Ago, bytes, coarse, number, seconds, Shape } from '../parts/shown';
import { copy } from '../parts/told';
import { w } from '../settings';
import type { Commits, Requests, Used } from '../types';
import { seesAll } from '../who';
import { LastWords } from './logs';

/** The roles, their disks, and where everything else is to be had. */
export function Cluster() {
  const now = status.value;
  if (!now) {
    return (
      <Screen title={w().cluster}>
        <Skeleton />
      </Screen>
    );
  }
  const { ventilator, sink, gateway } = now;
  return (
    <Screen
      title={w().cluster}
      aside={
        <>
          <button onClick={bundle}>{w().bundle}</button>
          <button class="plain" onClick={() => copy(JSON.stringify(now, null, 2))}>
            {w().copyJson}
          </button>
        </>
      }
    >
      <div class="columns">
        <Role name="ventilator" since={awaySince.value.ventilator} about={w().ventilatorIs}>
          {ventilator && (
            <Facts
              facts={[
                ...usageOf('ventilator', ventilator),
                [w().origin, ventilator.origin],
                [w().starts, number(ventilator.start)],
                [w().accepted, told(ventilator.accepted)],
                [w().journal, told(ventilator.journal_bytes, bytes)],
                [w().diskFree, told(ventilator.disk_free_bytes, bytes)],
                ...syncsOf(ventilator.journal_syncs, ventilator.journal_commit_us),
                [w().pausedScopes, ventilator.paused.join(', ')],
              ]}
            />
          )}
        </Role>
        <Role name="sink" since={awaySince.value.sink} about={w().sinkIs}>
          {sink && (
            <Facts
              facts={[
                ...usageOf('sink', sink),
                [w().logId, sink.log],
                [w().head.toLowerCase(), number(sink.head)],
                [w().logSize, told(sink.log_bytes, bytes)],
                [w().logSizeMost, told(sink.log_keep_bytes, bytes)],
                [w().diskFree, told(sink.disk_free_bytes, bytes)],
                [w().keptFrom, number(sink.log_kept_from)],
                [w().daysLeft, told(sink.log_days_left, (days) => number(Math.floor(days)))],
                ...syncsOf(sink.log_syncs, sink.log_commit_us),
                [w().artifacts, told(sink.artifacts)],
                [w().artifactBytes, told(sink.artifact_bytes, bytes)],
                [w().logFull, sink.log_full ? w().yes : ''],
              ]}
            />
          )}
        </Role>
        <Role name="gateway" since={null} about={w().gatewayIs}>
          <Facts
            facts={[
              ...usageOf('gateway', gateway ?? {}),
              [w().address, gateway?.address ?? ''],
              ...(['connections', 'listeners', 'open_uploads'] as const).map(
                (name): [string, string] => [w()[name], told(gateway?.[name])],
              ),
              [w().live, isLive.value ? w().yes : w().polling],
            ]}
          />
        </Role>
      </div>
      {gateway?.requests && <Answered requests={gateway.requests} />}
      <Section title={w().elsewhere}>
        <ul class="plain-list">
          {[
            ['/metrics', w().metricsAre],
            ['/openapi.json', w().openapiIs],
            ['/events-log', w().eventsAre],
            ['/logs', w().logsAre],
            ['/workers', w().workersAre],
          ]
            .filter(([to]) => seesAll() || (to !== '/metrics' && to !== '/logs'))
            .map(([to, text]) => (
              <li key={to}>
                <a class="mono" href={to}>
                  {to}
                </a>
                <span class="soft">{text}</span>
              </li>
            ))}
        </ul>
      </Section>
    </Screen>
  );
}

// Of what a role does not tell nothing is said.
const told = (value: number | null | undefined, say = number) =>
  value === null || value === undefined ? '' : say(value);

// How often a role synced, and how long that took.
const syncsOf = (syncs: number | undefined, took: Commits | undefined): [string, string][] => [
  [w().syncs, told(syncs)],
  [
    w().syncTime,
    took && took.p99 > 0 ? `≤ ${seconds(took.p50 / 1e6)}, ≤ ${seconds(took.p99 / 1e6)}` : '',
  ],
];

const kRoutesShown = 20;

/** What this gateway answered, by route and status, the most asked first. */
function Answered({ requests }: { requests: Requests[] }) {
  const routes = new Map<string, Requests[]>();
  for (const each of requests) {
    const name = `${each.method} ${each.route}`;
    routes.set(name, [...(routes.get(name) ?? []), each]);
  }
  const rows = [...routes].map(([name, each]) => {
    const sum = each.reduce((all, one) => all + one.count, 0);
    return { name, each, sum, rate: growth(`route ${name}`, sum) };
  });
  rows.sort((one, other) => other.sum - one.sum);
  return (
    <Section title={w().requests}>
      <ul class="plain-list">
        {rows.slice(0, kRoutesShown).map(({ name, each, rate }) => (
          <li key={name}>
            {each[0]?.method ? (
              <code class="cut">{name}</code>
            ) : (
              <span class="cut">{w().noRoute}</span>
            )}
            {rate !== null && rate > 0 && (
              <span class="soft">{w().perSecond(number(Math.round(rate * 10) / 10))}</span>
            )}
            <span class="acts">
              {each.map(({ status, count }) => (
                <span key={status} class={status < 400 ? '' : 'wrong'}>
                  {status} <span class="soft">× {number(count)}</span>
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Processor and memory of a role, since when and as what it runs, of what of them it tells. */
function usageOf(role: string, used: Used): [string, string | number][] {
  const { pid, cpu_seconds, memory_bytes: memory, up_seconds: up, restarts, version } = used;
  const cpu = growth(`${role}/${pid}`, cpu_seconds);
  return [
    [w().pid, pid ?? ''],
    [w().release, version ?? ''],
    [w().upSince, up ? coarse(up) : ''],
    [w().restarts, told(restarts)],
    [w().cpu, cpu === null ? '' : w().ofACore(Math.round(cpu * 100))],
    [w().memory, memory ? bytes(memory) : ''],
  ];
}

const kBundled = ['/cluster', '/workers', '/limits', '/schedules', '/dead/groups'];

/** All that helps somebody who is not here, in one file; no arguments and no results. */
async function bundle(): Promise<void> {
  const said: Record<string, unknown> = {
    made: new Date().toISOString(),
    browser: navigator.userAgent,
    page: location.href,
  };
  for (const path of kBundled)
    said[path] = await call('GET', path).catch((thrown: Error) => `${thrown.message}`);
  said['/metrics'] = await fetch('/metrics')
    .then((answer) => answer.text())
    .catch(() => '');
  save('eole-cluster.json', [JSON.stringify(said, null, 2)], 'application/json');
}

interface RoleProps {
  name: string;
  about: string;
  since: number | null;
  children: ComponentChildren;
}

function Role({ name, about, since, children }: RoleProps) {
  return (
    <Section
      title={name}
      aside={
        <span class="mark">
          <Shape state={since === null ? 'done' : 'failed'} />
          {since === null ? (
            w().answers
          ) : (
            <>
              {w().doesNotAnswer} ({w().answeredLast} <Ago when={since} />)
            </>
          )}
        </span>
      }
    >
      <p class="soft">{about}</p>
      {name !== 'gateway' && <LastWords role={name} isAway={since !== null} />}
      {children}
    </Section>
  );
}

function Facts({ facts }: { facts: [string, string | number][] }) {
  return (
    <dl class="facts-list">
      {facts
        .filter(([, value]) => value !== '' && value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

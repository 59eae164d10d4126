import { call } from '../api';
import { useAsked } from '../asked';
import { AskForm } from '../parts/ask_form';
import { Chart } from '../parts/chart';
import { Listed, listOf, Screen, Section, Shown } from '../parts/frame';
import { Ago, number, seconds, Shape } from '../parts/shown';
import { Act, act, does, sure, tell } from '../parts/told';
import { go } from '../router';
import { w } from '../settings';
import type { Alert, Chain, Readers } from '../types';
import { who } from '../who';

const kAskMs = 2000;
const kLagsMax = 300;
const kLateSeconds = 120; // As alerts have it, if none says else.

/** What each group had not read, when, and where the log ended: as long as this page is open. */
type Lag = [at: number, lag: number, head: number];
const lags = new Map<string, Lag[]>();

function sample(group: Readers): Lag[] {
  const known = lags.get(group.group) ?? [];
  const at = Date.now() / 1000;
  if (at - (known.at(-1)?.[0] ?? 0) >= 1) known.push([at, group.lag_records, group.head]);
  lags.set(group.group, known.slice(-kLagsMax));
  return known;
}

/** What comes and what is read a second, how fast it falls behind, or when it has read all, as far
 * as its last looks tell. What comes for a prefix alone the log's end does not say. */
function trendOf(known: Lag[]): string {
  const last = known.at(-1);
  const first = known.at(-6) ?? known[0];
  if (!last || !first || last[0] === first[0]) return '';
  const [behind, comes] = [1, 2].map((at) => (last[at] - first[at]) / (last[0] - first[0]));
  const rates = who.value?.prefix
    ? []
    : [w().inAndOut(number(Math.round(comes)), number(Math.max(0, Math.round(comes - behind))))];
  if (behind > 0) rates.push(w().fallsBehind(number(Math.ceil(behind))));
  else if (behind < 0 && last[1] > 0) rates.push(w().caughtUpIn(seconds(last[1] / -behind)));
  return rates.join(', ');
}

const isLate = (group: Readers) => group.lag_seconds > kLateSeconds || group.gone_records > 0;
export const lateOf = (data: unknown) => listOf<Readers>(data, 'groups').filter(isLate).length;
const to = (name: string) => `/groups/${encodeURIComponent(name)}`;
const unread = (of: Pick<Readers, 'lag_records' | 'lag_seconds'>) =>
  of.lag_records === 0 ? w().allRead : w().unread(number(of.lag_records), seconds(of.lag_seconds));

function Line({ group, isNamed }: { group: Readers; isNamed?: boolean }) {
  return (
    <>
      <Shape state={isLate(group) ? 'failed' : group.lag_records > 0 ? 'queued' : 'done'} />
      {isNamed && <a href={to(group.group)}>{group.group}</a>}
      <span class="soft">{w().membersOf(group.members, group.partitions)}</span>
      <span class="figures-in">{unread(group)}</span>
      <span class="soft">{trendOf(sample(group))}</span>
      {group.unacknowledged > 0 && (
        <span class="soft">{w().unacknowledged(number(group.unacknowledged))}</span>
      )}
      {group.redelivered > 0 && (
        <span class="soft">{w().cameAgain(number(group.redelivered))}</span>
      )}
      {group.gone_records > 0 && <span class="wrong">{w().gone(number(group.gone_records))}</span>}
    </>
  );
}

/** Who reads the log, and how far each is behind; what is declared on them. */
export function Groups() {
  const answer = useAsked<unknown>('/groups', kAskMs, kAskMs);
  return (
    <Screen title={w().groups}>
      <Listed<Readers>
        answer={answer}
        name="groups"
        empty={
          <>
            <p>{w().noGroups}</p>
            <pre>eole group create billing --from earliest; eole watch --group billing --json</pre>
          </>
        }
      >
        {(list) => (
          <ul class="letters">
            {list.map((each) => (
              <li key={each.group} class="letter-head">
                <Line group={each} isNamed />
                <Sparkline known={lags.get(each.group) ?? []} />
              </li>
            ))}
          </ul>
        )}
      </Listed>
      <Section title={w().addGroup} needs="submit">
        <AskForm
          path="/groups"
          yes={w().addIt}
          members={[
            { name: 'group', label: w().name },
            { name: 'from', label: w().beginsAt, hint: w().placeHint, preset: 'latest' },
            { name: 'partitions', label: w().partitions, preset: '8', isJson: true },
          ]}
        />
      </Section>
      <Chains />
      <Alerts />
    </Screen>
  );
}

function Sparkline({ known }: { known: Lag[] }) {
  if (known.length === 0) return null; // A line first, then what was seen of its group.
  const most = Math.max(1, ...known.map(([, lag]) => lag));
  const step = 96 / Math.max(known.length - 1, 1);
  return (
    <svg class="trend push" viewBox="0 0 96 20" aria-hidden="true">
      <path class="grid-line" d="M0 19.5H96" />
      <path
        class="line of-queued"
        d={`M${known.map(([, lag], at) => `${at * step} ${19 - (lag / most) * 18}`).join('L')}`}
      />
    </svg>
  );
}

/** One group: its partitions, who owns them, and where it goes on. */
export function OneGroup({ name }: { name: string }) {
  const answer = useAsked<Readers>(to(name), kAskMs, kAskMs);
  const remove = async () => {
    if (await does('DELETE', to(name), [w().deleteSure(name), w().acts.remove])) go('/groups');
  };
  const removeMember = (member: string) =>
    does('POST', `${to(name)}/remove`, [w().removeMember(member), w().acts.remove], { member });
  const move = async (said: object) => {
    const path = `${to(name)}/move`;
    const would = await call<Move>('POST', path, { ...said, dry_run: true });
    const { from, skips, repeats } = would;
    const text = w().moveSure(name, from, number(skips), number(repeats));
    if (!(await sure(text, w().moveIt, undefined, name))) return;
    const done = await act<Move>('POST', path, { to: from });
    if (done) tell(w().moved(number(done.skips), number(done.repeats)));
  };
  return (
    <Screen title={name} aside={<Act says={w().acts.remove} onClick={remove} />}>
      <Shown answer={answer}>
        {(group) => (
          <>
            <p class="letter-head">
              <Line group={group} />
            </p>
            <Chart
              title={w().unreadTitle}
              lines={[{ name, colour: 'queued' }]}
              data={[0, 1].map((at) => sample(group).map((each) => each[at] ?? 0))}
            />
            <Section title={w().members}>
              <ul class="plain-list partitions">
                {group.each_member?.map(({ name: member, ...its }, at) => (
                  <li key={`${member} ${at}`}>
                    <Shape state={its.partitions > 0 ? 'running' : 'waiting'} />
                    <span class="cut">{member}</span>
                    <span class="soft">{w().partitionsOf(its.partitions)}</span>
                    <span class="soft">{w().unacknowledged(number(its.unacknowledged))}</span>
                    <Ago when={its.heard_unix_ms} />
                    <span class="acts">
                      <Act
                        class="plain"
                        says={w().acts.remove}
                        of={member}
                        onClick={() => removeMember(member)}
                      />
                    </span>
                  </li>
                ))}
              </ul>
            </Section>
            <Section title={w().partitions}>
              <ul class="plain-list partitions">
                {group.each?.map((each) => (
                  <li key={each.partition}>
                    <Shape
                      state={!each.owner ? 'waiting' : each.lag_records > 0 ? 'queued' : 'done'}
                    />
                    <span class="figures-in">{each.partition}</span>
                    <span class={`cut ${each.owner ? '' : 'soft'}`}>
                      {each.owner ?? w().nobody}
                    </span>
                    <span class="soft">{w().offset(each.cursor)}</span>
                    <span class="figures-in">{unread(each)}</span>
                  </li>
                ))}
              </ul>
            </Section>
            <Section title={w().moveIt} needs="submit">
              <AskForm
                path={`${to(name)}/move`}
                yes={w().moveIt}
                send={move}
                members={[{ name: 'to', label: w().beginsAt, hint: w().placeHint }]}
              />
            </Section>
          </>
        )}
      </Shown>
    </Screen>
  );
}

interface Move {
  from: number;
  skips: number;
  repeats: number;
}

function Remove({ path, name }: { path: string; name: string }) {
  const to = `${path}/${encodeURIComponent(name)}`;
  const remove = () => does('DELETE', to, [w().removeIt(name), w().acts.remove]);
  return (
    <span class="acts">
      <Act class="plain" says={w().acts.remove} of={name} onClick={remove} />
    </span>
  );
}

function Chains() {
  const answer = useAsked<unknown>('/chains', kAskMs);
  return (
    <Section title={w().chains}>
      <p class="soft">{w().chainsAre}</p>
      <ul class="letters">
        {listOf<Chain>(answer.data, 'chains').map((each) => (
          <li key={each.name} class="letter-head">
            <a href={to(each.name)}>{each.name}</a>
            <span class="mono">{each.from}</span>
            <span class="mono cut">{JSON.stringify(each.task)}</span>
            <Remove path="/chains" name={each.name} />
          </li>
        ))}
      </ul>
      <AskForm
        path="/chains"
        yes={w().addIt}
        members={[
          { name: 'name', label: w().name },
          { name: 'from', label: w().topic, hint: w().topicHint },
          {
            name: 'task',
            label: w().taskAsJson,
            isJson: true,
            preset: '{"kind": "echo", "args": {"of": "$id"}, "project": "next"}',
          },
        ]}
      />
    </Section>
  );
}

function Alerts() {
  const answer = useAsked<{ alerts: Alert[]; raised: Alert[] }>('/alerts', kAskMs);
  const raised = listOf<{ name: string; alert: string; group: string; since: number }>(
    answer.data,
    'raised',
  );
  return (
    <Section title={w().alerts}>
      <p class="soft">{w().alertsAre}</p>
      <ul class="letters">
        {raised.map((each) => (
          <li key={`raised ${each.name}`} class="letter-head">
            <Shape state="failed" />
            <a href={to(each.group)}>{each.group}</a>
            <span class="wrong">
              {w().raised} <Ago when={each.since} />
            </span>
            {each.alert !== each.group && <span class="soft">{each.alert}</span>}
          </li>
        ))}
        {listOf<Alert>(answer.data, 'alerts').map((each) => (
          <li key={each.name} class="letter-head">
            <strong>{each.name}</strong>
            {each.group !== each.name && <span>{each.group}</span>}
            <span class="figures-in">&gt; {seconds(each.seconds)}</span>
            <span class="mono cut">{each.command?.join(' ')}</span>
            <Remove path="/alerts" name={each.name} />
          </li>
        ))}
      </ul>
      <AskForm
        path="/alerts"
        yes={w().addIt}
        members={[
          { name: 'group', label: w().group, hint: w().everyGroup },
          { name: 'seconds', label: w().secondsBehind, preset: '120', isJson: true },
        ]}
      />
    </Section>
  );
}

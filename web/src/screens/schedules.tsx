import { useAsked } from '../asked';
import { AskForm } from '../parts/ask_form';
import { Listed, Screen, Section } from '../parts/frame';
import { Ago, number, seconds, Shape } from '../parts/shown';
import { Act, act, does, tell } from '../parts/told';
import { w } from '../settings';
import type { Json, Schedule } from '../types';

const to = (name: string) => `/schedules/${encodeURIComponent(name)}`;

/** Tasks that come by themselves. */
export function Schedules() {
  const answer = useAsked<unknown>('/schedules', 2000);
  return (
    <Screen title={w().schedules}>
      <Listed<Schedule>
        answer={answer}
        name="schedules"
        empty={
          <>
            <p>{w().noSchedules}</p>
            <pre>
              eole schedule add nightly --cron '30 2 * * *' --zone Europe/Paris -- exec -- ./report
            </pre>
          </>
        }
      >
        {(list) => (
          <ul class="letters">
            {list.map((each) => (
              <One key={each.name} schedule={each} />
            ))}
          </ul>
        )}
      </Listed>
      <Section title={w().addSchedule} needs="submit">
        <Add />
      </Section>
    </Screen>
  );
}

function One({ schedule }: { schedule: Schedule }) {
  const { name } = schedule;
  const run = async () => {
    const answer = await act<{ ids: string[] }>('POST', `${to(name)}/run`);
    const id = answer?.ids[0];
    if (id) tell(w().didIt, { link: { to: `/tasks/${id}`, text: id } });
  };
  const holds = schedule.paused ? 'resume' : 'pause';
  const remove = () => does('DELETE', to(name), [w().removeSure(name), w().acts.remove]);
  const rhythm = schedule.cron
    ? `${schedule.cron} ${schedule.zone ?? 'UTC'}`
    : w().every(seconds((schedule.every_ms ?? 0) / 1000));
  return (
    <li>
      <div class="letter-head">
        <Shape state={schedule.paused ? 'cancelled' : schedule.last_error ? 'failed' : 'queued'} />
        <strong>{name}</strong>
        <span class="mono">{rhythm}</span>
        <span class="soft">
          {schedule.paused ? (
            w().paused
          ) : (
            <>
              {w().nextBeat} <Ago when={schedule.next} />
            </>
          )}
        </span>
        <span class="soft">
          {w().fired(number(schedule.fired))} {schedule.last && <Ago when={schedule.last} />}
        </span>
        <span class="acts">
          <Act says={w().acts.run} of={name} onClick={run} />
          <Act
            says={w().acts[holds]}
            of={name}
            onClick={() => does('POST', `${to(name)}/${holds}`)}
          />
          <Act class="plain" says={w().acts.remove} of={name} onClick={remove} />
        </span>
      </div>
      {schedule.last_error && <p class="error">{schedule.last_error}</p>}
    </li>
  );
}

function Add() {
  return (
    <AskForm
      path="/schedules"
      yes={w().addIt}
      request={({ name, when, zone, task }) => {
        const rhythm = String(when);
        const isCron = rhythm.startsWith('@') || rhythm.split(/\s+/).length === 5;
        const beat: Record<string, Json> = isCron ? { cron: rhythm } : { every: rhythm };
        if (zone) beat['zone'] = zone;
        return ['PUT', to(String(name ?? 'NAME')), { ...beat, task: task ?? null }];
      }}
      members={[
        { name: 'name', label: w().name },
        {
          name: 'when',
          label: w().rhythm,
          hint: w().rhythmHint,
          preset: '30s',
          saidAs: /cron|every/,
        },
        { name: 'zone', label: w().zoneName, hint: 'Europe/Paris', preset: '' },
        {
          name: 'task',
          label: w().taskAsJson,
          isJson: true,
          isLong: true,
          preset: '{"kind": "echo", "args": {"text": "tick"}}',
        },
      ]}
    />
  );
}

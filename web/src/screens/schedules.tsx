import { useSignal } from '@preact/signals';
import { call, Refusal } from '../api';
import { useAsked } from '../asked';
import { pulse } from '../live';
import { Empty, Field, Screen, Section, Shown } from '../parts/frame';
import { Ago, number, seconds, Shape } from '../parts/shown';
import { act, Curl, sure, tell, tellRefusal } from '../parts/told';
import { w } from '../settings';
import type { Json, Schedule } from '../types';
import { listOf } from './overview';

/** Tasks that come by themselves. */
export function Schedules() {
  const answer = useAsked<unknown>('/schedules', 2000);
  return (
    <Screen title={w().schedules}>
      <Shown answer={answer}>
        {(data) => {
          const list = listOf<Schedule>(data, 'schedules');
          return list.length === 0 ? (
            <Empty>
              <p>{w().noSchedules}</p>
              <pre>
                eole schedule add nightly --cron '30 2 * * *' --zone Europe/Paris -- exec --
                ./report
              </pre>
            </Empty>
          ) : (
            <ul class="letters">
              {list.map((each) => (
                <One key={each.name} schedule={each} />
              ))}
            </ul>
          );
        }}
      </Shown>
      <Section title={w().addSchedule}>
        <Add />
      </Section>
    </Screen>
  );
}

function One({ schedule }: { schedule: Schedule }) {
  const { name } = schedule;
  const to = `/schedules/${encodeURIComponent(name)}`;
  const does = async (what: 'pause' | 'resume' | 'run') => {
    const answer = await act<{ ids?: string[] }>('POST', `${to}/${what}`);
    const id = answer?.ids?.[0];
    if (answer) tell(w().didIt, id ? { link: { to: `/tasks/${id}`, text: id } } : {});
  };
  const remove = async () => {
    if (!(await sure(w().removeSure(name), w().acts.remove))) return;
    if (await act('DELETE', to)) tell(w().didIt);
  };
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
          <button aria-label={`${w().acts.run} ${name}`} onClick={() => does('run')}>
            {w().acts.run}
          </button>
          {schedule.paused ? (
            <button aria-label={`${w().acts.resume} ${name}`} onClick={() => does('resume')}>
              {w().acts.resume}
            </button>
          ) : (
            <button aria-label={`${w().acts.pause} ${name}`} onClick={() => does('pause')}>
              {w().acts.pause}
            </button>
          )}
          <button class="plain" aria-label={`${w().acts.remove} ${name}`} onClick={remove}>
            {w().acts.remove}
          </button>
        </span>
      </div>
      {schedule.last_error && <p class="error">{schedule.last_error}</p>}
    </li>
  );
}

function Add() {
  const name = useSignal('');
  const when = useSignal('30s');
  const zone = useSignal('');
  const task = useSignal('{"kind": "echo", "args": {"text": "tick"}}');
  const wrong = useSignal<{ field: string; text: string } | null>(null);
  const isCron = when.value.trim().startsWith('@') || when.value.trim().split(/\s+/).length === 5;
  const body = () => ({
    ...(isCron
      ? {
          cron: when.value.trim(),
          ...(zone.value.trim() === '' ? {} : { zone: zone.value.trim() }),
        }
      : { every: when.value.trim() }),
    task: JSON.parse(task.value) as Json,
  });
  const wrongOf = (field: string) => (wrong.value?.field === field ? wrong.value.text : undefined);
  const add = async (event: Event) => {
    event.preventDefault();
    wrong.value = null;
    let said: unknown;
    try {
      said = body();
    } catch {
      wrong.value = { field: 'task', text: w().noJson };
      return;
    }
    try {
      await call('PUT', `/schedules/${encodeURIComponent(name.value.trim())}`, said);
      tell(w().didIt);
      name.value = '';
      pulse.value += 1;
    } catch (thrown) {
      if (!(thrown instanceof Refusal) || thrown.status < 400 || thrown.status >= 500)
        return tellRefusal(thrown);
      const at = thrown.errors[0];
      const field = /cron|every|zone/.test(at?.pointer ?? thrown.detail)
        ? 'when'
        : at
          ? 'task'
          : 'name';
      wrong.value = { field, text: at?.detail ?? thrown.detail };
    }
  };
  return (
    <form class="wide" onSubmit={add}>
      <div class="fields">
        <Field id="s-name" label={w().name} wrong={wrongOf('name')}>
          <input
            id="s-name"
            required
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        <Field id="s-when" label={w().rhythm} hint={w().rhythmHint} wrong={wrongOf('when')}>
          <input
            id="s-when"
            required
            aria-describedby="s-when-hint"
            value={when.value}
            onInput={(event) => (when.value = event.currentTarget.value)}
          />
        </Field>
        {isCron && (
          <Field id="s-zone" label={w().zoneName} hint="Europe/Paris">
            <input
              id="s-zone"
              aria-describedby="s-zone-hint"
              value={zone.value}
              placeholder="UTC"
              onInput={(event) => (zone.value = event.currentTarget.value)}
            />
          </Field>
        )}
      </div>
      <Field id="s-task" label={w().taskAsJson} wrong={wrongOf('task')}>
        <textarea
          id="s-task"
          class="mono"
          rows={3}
          spellcheck={false}
          value={task.value}
          onInput={(event) => (task.value = event.currentTarget.value)}
        />
      </Field>
      <div class="actions">
        <button class="main">{w().addIt}</button>
        <Curl
          method="PUT"
          path={`/schedules/${encodeURIComponent(name.value.trim() || 'NAME')}`}
          body={safe(body)}
        />
      </div>
    </form>
  );
}

function safe(make: () => unknown): unknown {
  try {
    return make();
  } catch {
    return {};
  }
}

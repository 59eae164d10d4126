import { useEffect } from 'preact/hooks';
import { address } from '../api';
import { useAsked } from '../asked';
import { kListMs, kPage } from '../ended';
import { Field, Listed, Screen, Section, Shown } from '../parts/frame';
import { TaskId } from '../parts/links';
import { Ago, now, number, Shape, unix } from '../parts/shown';
import { Act, act, Curl, sure, tell } from '../parts/told';
import { ask, go, query } from '../router';
import { w } from '../settings';
import type { Group, Json, Letter, Row } from '../types';
import { may } from '../who';

/** Tasks whose attempts are used up, by the reason of the last one. */
export function Dead() {
  const group = query.value.get('group') ?? '';
  const groups = useAsked<unknown>('/dead/groups', 2000);
  return (
    <Screen title={w().deadLetters}>
      <Listed<Group>
        answer={groups}
        name="groups"
        empty={
          <>
            <p>{w().noDead}</p>
            <LastOne />
          </>
        }
      >
        {(list) => (
          <>
            <ul class="groups">
              {list.map((each) => (
                <li key={each.group} class={each.group === group ? 'is-chosen' : ''}>
                  <Shape state="dead" />
                  <button
                    class="plain cut"
                    aria-expanded={each.group === group}
                    onClick={() => ask({ group: each.group === group ? '' : each.group, after: '' })}
                  >
                    {each.group}
                  </button>
                  <span class="figures-in">× {number(each.count)}</span>
                  <span class="soft cut">{Object.keys(each.kinds ?? {}).join(', ')}</span>
                  <TaskId id={each.example} />
                  <Trend hours={each.hours ?? {}} />
                  <span class="soft">
                    {(unix(each.newest) ?? 0) - (unix(each.oldest) ?? 0) > kMinuteMs && (
                      <>
                        <Ago when={each.oldest} /> –{' '}
                      </>
                    )}
                    <Ago when={each.newest} />
                  </span>
                </li>
              ))}
            </ul>
            <Letters group={list.find((each) => each.group === group)} all={list} />
          </>
        )}
      </Listed>
      {/* So many that nobody counts them by reason. */}
      {groups.data === null && groups.refusal?.status === 413 && <Letters all={[]} />}
    </Screen>
  );
}

/** When the last task died, of those that the log has: it may have been replayed or discarded. */
function LastOne() {
  const [last] = useAsked<{ rows: Row[] }>('/history?state=dead&limit=1', 10_000).data?.rows ?? [];
  if (!last) return null;
  return (
    <a href="/tasks?state=dead">
      {w().lastDied} <Ago when={last.ended} />
    </a>
  );
}

const kMinuteMs = 60_000;
const kHours = 24;
const kHourMs = 3_600_000;

/** How many died in each hour of the last day, the oldest hour first. */
function Trend({ hours }: { hours: Record<string, number> }) {
  const counts = Array.from({ length: kHours }, (_, at) => {
    const hour = new Date(now.value - (kHours - 1 - at) * kHourMs).toISOString().slice(0, 13);
    return hours[hour] ?? 0;
  });
  const sum = counts.reduce((all, each) => all + each, 0);
  const most = Math.max(1, ...counts);
  const said = w().lastDay(number(sum));
  return (
    <svg class="trend" viewBox="0 0 96 20" role="img" aria-label={said}>
      <title>{said}</title>
      <path class="grid-line" d="M0 19.5H96" />
      {counts.map((count, at) => {
        const height = count === 0 ? 0 : Math.max(2, (count / most) * 19);
        return (
          <rect key={at} class="is-dead" x={at * 4} y={19 - height} width="3" height={height} />
        );
      })}
    </svg>
  );
}

type Filter = { ids?: string[]; group?: string; all?: boolean; rate?: number };

export interface Acted {
  discarded?: number;
  replayed?: { id: string; replay_of: string }[];
  refused?: { replay_of: string; detail: string }[];
}

/** Says what became of a replay; gives the new task's id if it is one. */
export function tellReplayed({ replayed = [], refused = [] }: Acted): string | null {
  const id = replayed.length === 1 ? (replayed[0]?.id ?? null) : null;
  tell(w().replayed(replayed.length), {
    ...(id ? { link: { to: `/tasks/${id}`, text: id } } : {}),
    ...(refused.length > 0
      ? {
          isWrong: true,
          detail: refused
            .slice(0, 8)
            .map((each) => `${each.replay_of}: ${each.detail}`)
            .join('\n'),
        }
      : {}),
  });
  return id;
}

/** Opens the form with a letter's task in it. */
export async function editLetter(id: string): Promise<void> {
  const letter = await act<{ task: Json }>('GET', `/dead/${id}`);
  if (letter) editTask(id, letter.task);
}

/** Opens the form with these words of a task. */
export function editTask(from: string, task: Json): void {
  sessionStorage.setItem('eole.edit', JSON.stringify(task));
  go(address('/submit', { kind: String((task as { kind?: Json }).kind ?? ''), from }));
}

/** Replays or discards what the filter says, after the number was said. */
async function acts(what: 'replay' | 'discard', filter: Filter, count: number): Promise<void> {
  const ask = what === 'replay' ? w().replaySure : w().discardSure;
  let rate = 0;
  let reason = '';
  const more =
    what === 'discard' ? (
      <Field id="reason" label={w().discardReason} hint={w().discardReasonIs}>
        <input
          id="reason"
          maxLength={120}
          onInput={(event) => (reason = event.currentTarget.value)}
        />
      </Field>
    ) : (
      <Field id="rate" label={w().replayRate} hint={w().replayRateIs}>
        <input
          id="rate"
          type="number"
          min={0.001}
          step="any"
          onInput={(event) => (rate = Number(event.currentTarget.value))}
        />
      </Field>
    );
  if (
    (what === 'discard' || count > 1) &&
    !(await sure(ask(number(count), filter.group ?? ''), w()[what], more))
  )
    return;
  const answer = await act<Acted>('POST', `/dead/${what}`, {
    ...filter,
    ...(rate > 0 && { rate }),
    ...(reason && { reason }),
  });
  if (!answer) return;
  if (what === 'discard') return tell(w().discarded(answer.discarded ?? 0));
  tellReplayed(answer);
}

interface Page {
  letters: Letter[];
  next: number | null;
}

/** A page of them, the oldest first; the address has behind which letter it begins. */
function Letters({ group, all }: { group?: Group | undefined; all: Group[] }) {
  const after = query.value.get('after') ?? '';
  const pageAt = (place: string | number, limit?: number) =>
    address('/dead', { group: group?.group, after: place, limit });
  const answer = useAsked<Page>(pageAt(after, kPage), kListMs);
  const page = answer.data;
  useEffect(() => {
    // Nothing of it in what was looked through.
    if (page && page.next !== null && page.letters.length === 0) ask({ after: String(page.next) });
  }, [page]);
  const total = group?.count ?? all.reduce((sum, each) => sum + each.count, 0);
  const filter: Filter = group ? { group: group.group } : { all: true };
  return (
    <Section
      title={group ? group.group : w().allReasons}
      aside={
        total > 0 && (
          <span class="acts">
            <Act
              says={w().replayAll(number(total))}
              onClick={() => acts('replay', filter, total)}
            />
            <Act
              says={w().discardAll(number(total))}
              onClick={() => acts('discard', filter, total)}
            />
            {may('submit') && <Curl method="POST" path="/dead/replay" body={filter} />}
          </span>
        )
      }
    >
      <Shown answer={answer}>
        {({ letters, next }) => (
          <>
            {total > letters.length && (
              <p class="soft">{w().shownOf(number(letters.length), number(total))}</p>
            )}
            <ul class="letters">
              {letters.map((each) => (
                <One key={each.id} letter={each} />
              ))}
            </ul>
            <p class="acts">
              {after !== '' && (
                <a class="button" href={pageAt('')}>
                  {w().firstPage}
                </a>
              )}
              {next !== null && (
                <a class="button" href={pageAt(next)}>
                  {w().nextPage}
                </a>
              )}
            </p>
          </>
        )}
      </Shown>
    </Section>
  );
}

function One({ letter }: { letter: Letter }) {
  const { id } = letter;
  return (
    <li>
      <div class="letter-head">
        <TaskId id={id} />
        <span>{letter.kind}</span>
        {letter.project && <span class="soft">{letter.project}</span>}
        <Ago when={letter.finished} />
        <span class="acts">
          <Act says={w().replay} of={id} onClick={() => acts('replay', { ids: [id] }, 1)} />
          <Act says={w().editAndSubmit} of={id} onClick={() => editLetter(id)} />
          <Act
            class="plain"
            says={w().discard}
            of={id}
            onClick={() => acts('discard', { ids: [id] }, 1)}
          />
        </span>
      </div>
      <ol class="reasons">
        {(letter.reasons ?? [letter.error]).slice(-5).map((reason) => (
          <li key={reason}>{w().toldReason(reason)}</li>
        ))}
      </ol>
    </li>
  );
}

// What ended over time: of the last minutes as this page saw it, of longer times as the log tells it.
import { useRef } from 'preact/hooks';
import { address } from '../api';
import { useAsked } from '../asked';
import { Chart } from '../parts/chart';
import { Section } from '../parts/frame';
import { projectAt } from '../parts/links';
import { brief, now, seconds, stateWord } from '../parts/shown';
import { ask, go, query } from '../router';
import { levels, rates, samples } from '../samples';
import { w } from '../settings';
import { useSpans } from '../spans';
import type { Counts } from '../types';
import { seesAll } from '../who';

// Each with the step in which the log is counted; the last minutes need no log.
const kRanges: [string, number, number][] = [
  ['5 min', 300, 0],
  ['1 h', 3600, 15],
  ['24 h', 86_400, 300],
  ['30 d', 2_592_000, 10_800],
];
const kAskMs = 5000;
const kPicked = 5; // Seconds before and after a second that was chosen.

/** The charts of a screen; of one project, only what the log tells. */
export function OverTime({ project = '' }: { project?: string }) {
  const ranges = project === '' ? kRanges : kRanges.slice(1);
  const wanted = query.value.get('range');
  const [name, span, step] = ranges.find(([each]) => each === wanted) ?? ranges[0] ?? ['', 300, 0];
  const counts = useCounts(span, step, project);
  const spans = useSpans(step === 0);
  const seen = samples.value.filter(({ at }) => at > Date.now() / 1000 - span);
  if (project !== '' && !counts) return null;
  return (
    <Section
      title={w().overTime}
      aside={
        <div class="choice" role="group" aria-label={w().range}>
          {ranges.map(([each]) => (
            <button
              key={each}
              aria-pressed={name === each}
              onClick={() => ask({ range: each === ranges[0]?.[0] ? '' : each })}
            >
              {each.replace('d', w().days.charAt(0))}
            </button>
          ))}
        </div>
      }
    >
      <div class="charts">
        {step === 0 ? (
          <Chart
            title={w().ratesTitle}
            lines={[
              { name: w().accepted, colour: 'running', isDashed: true },
              { name: w().settled, colour: 'done' },
              { name: w().failedMany, colour: 'failed' },
            ]}
            data={rates(span, ['accepted', 'settled', 'failed'])}
            onPick={(at) =>
              go(address('/tasks', { since: (at - kPicked) * 1000, until: (at + kPicked) * 1000 }))
            }
          />
        ) : (
          counts && <Ended counts={counts} project={project} />
        )}
        {project === '' && span <= 3600 && (
          <Chart
            title={w().queuedTitle}
            lines={[
              { name: stateWord('queued'), colour: 'queued' },
              { name: stateWord('running'), colour: 'running' },
            ]}
            data={levels(span, ['queued', 'running'])}
            {...(step === 0
              ? {}
              : { span: [Date.now() / 1000 - span, Date.now() / 1000] as const })}
          />
        )}
        {step === 0 && seesAll() && (
          <Chart
            title={w().spansTitle}
            lines={[
              { name: `${w().waited} p50`, colour: 'queued' },
              { name: 'p99', colour: 'queued', isDashed: true },
              { name: `${w().ran.toLowerCase()} p50`, colour: 'running' },
              { name: 'p99 ', colour: 'running', isDashed: true },
            ]}
            data={spans}
            {...(seen[0] ? { span: [seen[0].at, seen.at(-1)?.at ?? seen[0].at] as const } : {})}
            say={brief}
          />
        )}
      </div>
      {counts?.counted_from != null && <p class="soft">{w().notKeptBefore}</p>}
    </Section>
  );
}

// An answer stays until the next one is there.
function useCounts(span: number, step: number, project: string): Counts | null {
  const until = step === 0 ? 0 : (Math.floor(now.value / 1000 / step) + 1) * step;
  const answer = useAsked<Counts>(
    step === 0
      ? null
      : address('/history/counts', {
          since: (until - span) * 1000,
          until: until * 1000,
          step: `${step}s`,
          project,
        }),
    kAskMs,
  );
  const kept = useRef<Counts | null>(null);
  if (answer.data) kept.current = answer.data;
  return step !== 0 && kept.current?.step === step * 1000 ? kept.current : null;
}

function Ended({ counts, project }: { counts: Counts; project: string }) {
  const { since, step } = counts;
  const size = counts.done?.length ?? 0;
  const times = Array.from({ length: size }, (_, at) => (since + at * step) / 1000);
  // The last step is not over yet.
  const rate = (list: number[] | undefined) =>
    times.map((from, at) => {
      if (counts.counted_from !== null && from * 1000 < counts.counted_from - step) return null;
      const past = Math.min(step / 1000, Math.max(1, Date.now() / 1000 - from));
      return (list?.[at] ?? 0) / past;
    });
  const failed = counts.failed?.map((each, at) => each + (counts.dead?.[at] ?? 0));
  return (
    <Chart
      title={`${w().endedTitle} (${w().eachSpan(seconds(step / 1000))})`}
      lines={[
        { name: stateWord('done'), colour: 'done' },
        { name: stateWord('failed'), colour: 'failed' },
      ]}
      data={[times, rate(counts.done), rate(failed)]}
      onPick={(at) =>
        go(
          address(project === '' ? '/tasks' : projectAt(project), {
            since: Math.round(at * 1000),
            until: Math.round(at * 1000 + step),
          }),
        )
      }
    />
  );
}

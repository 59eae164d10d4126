import { address, type Refusal } from '../api';
import { status, useAsked } from '../asked';
import { save } from '../export';
import { Boards, kShown } from '../parts/boards';
import { Empty, Refused, Screen, Section, Shown } from '../parts/frame';
import { Tree } from '../parts/json';
import { projectAt, TaskId } from '../parts/links';
import { Ago, bytes, capital, clock, Mark, seconds, Shape, unix } from '../parts/shown';
import { Act, act, copy, Curl, sure, tell } from '../parts/told';
import { go } from '../router';
import { w } from '../settings';
import { type Artifact, type Json, kId, kUnsettled, type Stopped, type Task } from '../types';
import { seesAll } from '../who';
import { type Acted, editLetter, editTask, tellReplayed } from './dead';
import { Life } from './life';
import { Running } from './running';

/** One task: what became of it and why, its attempts on one axis, what it was given and gave. */
export function Story({ id, close }: { id: string; close?: () => void }) {
  const answer = useAsked<Task>(`/task/${encodeURIComponent(id)}`);
  const task = answer.data;
  const isOpen = task !== null && kUnsettled.includes(task.state);
  return (
    <Screen
      title={id}
      isPart={close !== undefined}
      aside={
        <>
          {isOpen && <Cancel task={task} />}
          {task?.state === 'dead' && <Replay task={task} />}
          {task && isKnown(task) && <Act says={w().editAndSubmit} onClick={() => edit(task)} />}
          {close && (
            <>
              <a class="button plain" href={`/tasks/${id}`}>
                {w().alone}
              </a>
              <button class="plain" onClick={close}>
                {w().close}
              </button>
            </>
          )}
          {task && !close && (
            <>
              <button class="plain" onClick={() => copy(task.id)}>
                {w().copyId}
              </button>
              <button class="plain" onClick={() => copy(JSON.stringify(task, null, 2))}>
                {w().copyJson}
              </button>
              {seesAll() && (
                <a class="button plain" href={`/logs?task=${id}`}>
                  {w().taskLogs}
                </a>
              )}
              <Curl method="GET" path={`/task/${id}`} />
            </>
          )}
        </>
      }
    >
      {answer.refusal?.status === 404 && !task ? (
        <Unknown id={id} refusal={answer.refusal} />
      ) : (
        <Shown answer={answer}>
          {(shown) => (shown.is_kept === false ? <Gone task={shown} /> : <Told task={shown} />)}
        </Shown>
      )}
    </Screen>
  );
}

// All of it that makes another one like it: a letter has its task, results have small arguments.
const isKnown = (task: Task) =>
  task.state === 'dead' ||
  task.args !== undefined ||
  (kUnsettled.includes(task.state) && task.args_bytes === undefined);

// An id begins with its cluster's name.
function Unknown({ id, refusal }: { id: string; refusal: Refusal }) {
  const origin = status.value?.ventilator?.origin;
  const isOfIt = origin === undefined || id.startsWith(`${origin}-`);
  if (!kId.test(id)) return <Refused refusal={refusal} />;
  return (
    <Empty>
      <p role="alert">
        <strong>{isOfIt ? w().noSuchTask : w().otherOrigin(origin)}</strong>
      </p>
      <a class="button" href="/tasks">
        {w().tasks}
      </a>
    </Empty>
  );
}

/** It settled longer ago than the log goes back. */
function Gone({ task }: { task: Task }) {
  return (
    <>
      <p class="headline">
        <Mark state={task.state} />
      </p>
      <Empty>{w().resultGone}</Empty>
    </>
  );
}

function Told({ task }: { task: Task }) {
  const value = resultOf(task);
  const why = (task.why ?? []).filter((each) => !kSaidAbove.includes(each.code));
  const artifacts = artifactsOf(task);
  const { boards: all, ...rest } = isMap(value) ? value : {};
  const boards = task.kind === 'nqueens' && Array.isArray(all) && all.length <= kShown ? all : null;
  const output = boards || !isMap(value) ? rest : value;
  const hasOutput = typeof output['stdout'] === 'string' || typeof output['stderr'] === 'string';
  return (
    <>
      <p class="headline">
        <Shape state={task.state} /> {headline(task)}
      </p>
      {why.length > 0 && (
        <ul class="why">
          {why.map((each) => (
            <li key={each.code + each.text}>
              {sentence(each.text)}
              {each.tasks?.map((other) => (
                <TaskId key={other} id={other} />
              ))}
            </li>
          ))}
        </ul>
      )}
      <p class="facts">
        <span>{task.kind}</span>
        {task.project && (
          <span>
            {w().inProject} <a href={projectAt(task.project)}>{task.project}</a>
          </span>
        )}
        {task.submitted && (
          <span>
            {w().submitted} <Ago when={task.submitted} />
          </span>
        )}
        {task.worker && (
          <span>
            {w().filterNames.worker.toLowerCase()} <a href="/workers">{task.worker}</a>
            <Holder of={task} />
          </span>
        )}
        {task.traceparent && (
          <span>
            {w().trace} <code title={task.traceparent}>{task.traceparent.split('-')[1]}</code>
          </span>
        )}
        {task.idempotency_key && (
          <span>
            {w().idempotencyKey} <code>{task.idempotency_key}</code>
          </span>
        )}
        {task.replay_of && (
          <span>
            {w().replayOf} <TaskId id={task.replay_of} />
          </span>
        )}
        {task.replayed_as && (
          <span>
            {w().replayedAs} <TaskId id={task.replayed_as} />
          </span>
        )}
      </p>
      <Life task={task} />
      {kUnsettled.includes(task.state) && <Running id={task.id} />}
      <Attempts task={task} />
      <div class="columns">
        {task.args !== undefined && task.args !== null && (
          <Section title={w().arguments}>
            <Tree value={task.args} />
          </Section>
        )}
        {task.args_bytes !== undefined && (
          <Section title={w().arguments}>
            <p class="soft">{w().argsNotTold(bytes(task.args_bytes))}</p>
          </Section>
        )}
        {(value !== undefined && value !== null) || artifacts.length > 0 ? (
          <Section
            title={w().result}
            aside={
              value !== undefined &&
              value !== null && (
                <button class="plain" onClick={() => saveJson(task.id, value)}>
                  {w().download}
                </button>
              )
            }
          >
            {artifacts.map((each) => (
              <File key={each.sha256} file={each} />
            ))}
            {boards && <Boards boards={boards} />}
            {hasOutput ? (
              <Output output={output} />
            ) : (
              value !== undefined && value !== null && <Tree value={boards ? output : value} />
            )}
          </Section>
        ) : null}
      </div>
    </>
  );
}

const saveJson = (name: string, value: Json) =>
  save(`${name}.json`, [JSON.stringify(value, null, 2)], 'application/json');

// The headline and the attempts say so already.
const kSaidAbove = ['done', 'failed', 'dead'];

const isMap = (value: Json | undefined): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// A record of the log has `value`; the route may say the record as `result`.
function resultOf(task: Task): Json | undefined {
  if (task.value !== undefined) return task.value;
  return isMap(task.result) && 'value' in task.result ? task.result['value'] : task.result;
}

function artifactsOf(task: Task): Artifact[] {
  const record = isMap(task.result) ? (task.result as unknown as Partial<Task>) : task;
  const all = task.artifacts ?? record.artifacts ?? [];
  const one = task.artifact ?? record.artifact;
  return all.length > 0 ? all : one ? [one] : [];
}

// Times in it as the page tells them.
const sentence = (text: string) =>
  capital(
    w()
      .toldWhy(text)
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => clock(Date.parse(time))),
  ) + (/[.!?]$/.test(text) ? '' : '.');

function headline(task: Task): string {
  const last = task.attempts?.at(-1);
  const ended = unix(task.finished) ?? unix(last?.finished);
  const began = unix(task.submitted);
  const took = ended && began ? seconds(Math.max(0, (ended - began) / 1000)) : '';
  const attempts = task.attempts?.length || task.attempt || 0;
  const ran = last?.run_seconds ? w().ranFor(seconds(last.run_seconds)) : '';
  if (task.state === 'done') return w().headDone(attempts, took, ran);
  if (task.state === 'failed') return w().headFailed(task.error ?? last?.error ?? '');
  if (task.state === 'dead') return w().headDead(attempts, last?.error ?? task.error ?? '');
  if (task.state === 'cancelled') return w().headCancelled;
  if (task.state === 'cancelling') return w().headCancelling;
  const isStored = task.why?.some(({ code }) => code === 'stored');
  if (isStored) return w().headStored(task.worker ?? '');
  if (task.state === 'running') return w().headRunning(task.worker ?? last?.worker ?? '');
  return task.attempts?.length ? w().headWaitingAgain : w().headWaiting;
}

function howStopped({ pid = 0, processes = 1, signals, seconds: took }: Stopped): string {
  return signals
    ? w().gotSignals(pid, processes - 1, signals.join(', '), seconds(took))
    : w().endedItself(seconds(took));
}

// The process that had it, and under what lease.
const Holder = ({ of: { pid, lease } }: { of: { pid?: number; lease?: string } }) =>
  pid || lease ? (
    <span class="soft">
      {' '}
      {pid && `pid ${pid}`} {lease && w().lease(lease)}
    </span>
  ) : null;

function Attempts({ task }: { task: Task }) {
  const attempts = [...(task.attempts ?? [])].reverse();
  if (attempts.length === 0) return null;
  return (
    <Section title={w().attempts}>
      <ol class="attempts">
        {attempts.map((each, at) => (
          <li key={`${each.attempt} ${each.state} ${at}`} id={`attempt-${each.attempt}`}>
            <a class="strong" href={`#attempt-${each.attempt}`}>
              {w().attempt(each.attempt)}
            </a>
            <Mark state={each.state} />
            {each.worker && (
              <span>
                {w().onWorker(each.worker)}
                <Holder of={each} />
              </span>
            )}
            {each.run_seconds !== undefined && each.run_seconds > 0 && (
              <span>{w().ranFor(seconds(each.run_seconds))}</span>
            )}
            {each.finished && <Ago when={each.finished} />}
            {each.stopped && <span>{howStopped(each.stopped)}</span>}
            {each.offset !== undefined && <span class="soft">{w().offset(each.offset)}</span>}
            {each.error && <p class="error">{each.error}</p>}
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Output({ output }: { output: { [name: string]: Json } }) {
  const { stdout, stderr, ...rest } = output;
  return (
    <>
      {[
        ['stdout', stdout],
        ['stderr', stderr],
      ].map(([name, text]) =>
        typeof text === 'string' && text !== '' ? (
          <figure key={String(name)} class="stream">
            <figcaption class="soft">{String(name)}</figcaption>
            <pre class="output" tabIndex={0}>
              {text.slice(-65_536)}
            </pre>
          </figure>
        ) : null,
      )}
      <Tree value={rest} />
    </>
  );
}

const kPicture = /\.(jpe?g|png|gif|webp|avif)$/i;

function File({ file }: { file: Artifact }) {
  const name = file.name || file.sha256.slice(0, 12);
  const to = address(`/artifact/${file.sha256}`, { name: file.name });
  return (
    <figure class="file">
      {kPicture.test(name) && <img src={to} alt={name} loading="lazy" />}
      <figcaption>
        <a href={to} download={name}>
          {w().download} {name}
        </a>{' '}
        <span class="soft">{bytes(file.bytes)}</span>{' '}
        <code class="soft" title="SHA-256">
          {file.sha256.slice(0, 12)}…
        </code>
      </figcaption>
    </figure>
  );
}

function Cancel({ task }: { task: Task }) {
  const cancel = async () => {
    if (!(await sure(w().cancelOne(task.id), w().cancelIt))) return;
    if (await act('DELETE', `/task/${task.id}`)) tell(w().cancelling('1'));
  };
  return <Act says={w().cancel} onClick={cancel} />;
}

function Replay({ task }: { task: Task }) {
  const replay = async () => {
    const answer = await act<Acted>('POST', '/dead/replay', { ids: [task.id] });
    const id = answer && tellReplayed(answer);
    if (id) go(`/tasks/${id}`);
  };
  return <Act class="main" says={w().replay} onClick={replay} />;
}

function edit(task: Task): void {
  if (task.state === 'dead') return void editLetter(task.id);
  const words: { [name: string]: Json } = { kind: task.kind, args: task.args ?? {} };
  if (task.project !== '') words['project'] = task.project;
  editTask(task.id, words);
}

import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { call, Refusal } from '../api';
import { useAsked } from '../asked';
import { Field, listOf, Screen, Section, Shown } from '../parts/frame';
import { TaskId } from '../parts/links';
import { type Args, isFree, preferred, SchemaFields } from '../parts/schema';
import { Mark } from '../parts/shown';
import { Curl, tell, tellRefusal } from '../parts/told';
import { ask, query } from '../router';
import { knowsEole, w } from '../settings';
import type { Json, Kind, Schema, Task, Worker } from '../types';
import { Many } from './submit_many';

const kWorkersMs = 10_000;
const kTakersShown = 5;

export const schemaOf = (kind: Kind | undefined): Schema => kind?.arguments ?? {};

/** A form from the kind's own description, the JSON beside it, and what became of what was sent. */
export function Submit() {
  const answer = useAsked<unknown>('/kinds', 5000);
  const isMany = query.value.get('many') === '1';
  return (
    <Screen
      title={w().submit}
      aside={
        <div class="choice" role="group" aria-label={w().howMany}>
          <button aria-pressed={!isMany} onClick={() => ask({ many: '' })}>
            {w().one}
          </button>
          <button aria-pressed={isMany} onClick={() => ask({ many: '1' })}>
            {w().many}
          </button>
        </div>
      }
    >
      {isMany ? (
        <Many />
      ) : (
        <Shown answer={answer}>{(data) => <Form kinds={listOf<Kind>(data, 'kinds')} />}</Shown>
      )}
    </Screen>
  );
}

interface Options {
  project: string;
  attempts: string;
  priority: string;
  delay: string;
}
const kNoOptions: Options = { project: '', attempts: '', priority: '', delay: '' };

// What "edit and submit" of another screen left here.
function edited(): Words | null {
  const text = sessionStorage.getItem('eole.edit');
  return text === null || !query.value.has('from') ? null : readTask(text);
}

const kFirstArgs: Record<string, Args> = { echo: { text: 'hello' } };

function Form({ kinds }: { kinds: Kind[] }) {
  const before = edited();
  const name =
    query.value.get('kind') ??
    (kinds.find((kind) => kind.name === 'echo') ?? kinds[0])?.name ??
    'echo';
  const kind = kinds.find((each) => each.name === name);
  const schema = schemaOf(kind);
  const args = useSignal<Args>(before?.args ?? {});
  const json = useSignal<string | null>(null); // As it is being typed there.
  const options = useSignal<Options>(before?.options ?? kNoOptions);
  const rest = useSignal<Args>(before?.rest ?? {}); // Words without a field of their own here.
  const wrong = useSignal<Record<string, string>>({});
  const sent = useSignal<string[]>([]);
  const isSending = useSignal(false);
  const version = useSignal(0);
  const isKept = useRef(before?.kind === name); // The arguments, though the kind changes.
  useEffect(() => {
    if (isKept.current) {
      isKept.current = false;
      return;
    }
    rest.value = {};
    args.value = kFirstArgs[name] ?? initial(schema);
    wrong.value = {};
    json.value = null;
    version.value += 1;
  }, [name]);

  const isNoJson = json.value !== null && readTask(json.value) === null;
  const body = useComputed(() =>
    taskOf({
      kind: name,
      args: args.value,
      options: options.value,
      rest: rest.value,
    }),
  );
  const isOffered = kind?.is_offered ?? false;
  const workers = listOf<Worker>(useAsked<unknown>('/workers', kWorkersMs).data, 'workers');
  const takers = workers
    .filter((each) => each.kinds.split(',').includes(name))
    .map((each) => each.name);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isSending.value) return;
    if (isNoJson) {
      wrong.value = { '': w().noJson };
      return;
    }
    isSending.value = true;
    wrong.value = {};
    try {
      const answer = await call<{ ids: string[] }>('POST', '/task', body.value);
      sent.value = [...answer.ids, ...sent.value].slice(0, 20);
      tell(w().accepted1(answer.ids[0] ?? ''));
      knowsEole.value = true;
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.errors.length > 0) {
        wrong.value = Object.fromEntries(
          thrown.errors.map((each) => [fieldOf(each.pointer), each.detail]),
        );
      } else if (thrown instanceof Refusal && thrown.status >= 400 && thrown.status < 500) {
        wrong.value = { '': thrown.detail };
      } else {
        tellRefusal(thrown);
      }
    }
    isSending.value = false;
  };

  const shownNames = new Set([
    ...Object.keys(schema.properties ?? {}),
    ...Object.keys(options.value),
  ]);
  const others = Object.entries(wrong.value).filter(([field]) => !shownNames.has(field));
  return (
    <div class="form-and-json">
      <form onSubmit={submit} noValidate>
        <Field
          id="kind"
          label={w().filterNames.kind}
          hint={kind?.about && w().toldKind(kind.about)}
        >
          <select
            id="kind"
            value={name}
            onChange={(event) => ask({ kind: event.currentTarget.value, from: '' })}
          >
            {!kind && <option>{name}</option>}
            {kinds.map((each) => (
              <option key={each.name}>{each.name}</option>
            ))}
          </select>
        </Field>
        {isOffered ? (
          <p class="hint">
            {takers.length > 0 &&
              w().takenBy(takers.slice(0, kTakersShown), takers.length - kTakersShown)}
          </p>
        ) : (
          <p class="bar-note">{w().nobodyTakes(name)}</p>
        )}
        {isFree(schema) ? (
          <p class="hint">{w().takesAnything}</p>
        ) : (
          <SchemaFields
            key={`${name} ${version.value}`}
            schema={schema}
            args={args.value}
            wrong={wrong.value}
            set={(next) => {
              args.value = next;
              json.value = null;
            }}
          />
        )}
        <details class="more" open={options.value.project !== ''}>
          <summary>{w().options}</summary>
          <div class="fields">
            {(Object.keys(kNoOptions) as (keyof Options)[]).map((each) => (
              <Field
                key={each}
                id={`option-${each}`}
                label={w().optionNames[each]}
                hint={w().optionHints[each]}
                wrong={wrong.value[each]}
              >
                <input
                  id={`option-${each}`}
                  aria-describedby={`option-${each}-hint`}
                  inputMode={each === 'attempts' || each === 'priority' ? 'numeric' : 'text'}
                  value={options.value[each]}
                  onInput={(event) =>
                    (options.value = { ...options.value, [each]: event.currentTarget.value })
                  }
                />
              </Field>
            ))}
          </div>
        </details>
        {others.map(([field, text]) => (
          <p key={field} class="wrong" role="alert">
            {field && `${field}: `}
            {text}
          </p>
        ))}
        <div class="actions">
          <button class="main" type="submit" disabled={isSending.value}>
            {w().submitIt}
          </button>
          <Curl method="POST" path="/task" body={body.value} />
        </div>
      </form>
      <Field id="json" label={w().asJson} wrong={isNoJson ? w().noJson : undefined}>
        <textarea
          id="json"
          class="mono"
          rows={12}
          spellcheck={false}
          value={json.value ?? JSON.stringify(body.value, null, 2)}
          onBlur={() => {
            if (!isNoJson) json.value = null; // As the form says it.
          }}
          onInput={(event) => {
            const text = event.currentTarget.value;
            const read = readTask(text);
            json.value = text;
            if (!read) return;
            args.value = read.args;
            options.value = read.options;
            rest.value = read.rest;
            version.value += 1;
            isKept.current = read.kind !== name;
            if (isKept.current) ask({ kind: read.kind });
          }}
        />
      </Field>
      {sent.value.length > 0 && (
        <Section title={w().sent}>
          <ul class="plain-list" aria-live="polite">
            {sent.value.map((id) => (
              <Sent key={id} id={id} />
            ))}
          </ul>
        </Section>
      )}
    </div>
  );
}

function Sent({ id }: { id: string }) {
  const answer = useAsked<Task>(`/task/${id}`);
  const task = answer.data;
  return (
    <li>
      <TaskId id={id} />
      {task && <Mark state={task.state} />}
      {task?.why?.[0] && task.state !== 'done' && (
        <span class="soft cut">{w().toldWhy(task.why[0].text)}</span>
      )}
    </li>
  );
}

function initial(schema: Schema): Args {
  const first = preferred(schema);
  return first && schema.properties?.[first]?.type !== 'array' ? { [first]: '' } : {};
}

interface Words {
  kind: string;
  args: Args;
  options: Options;
  rest: Args;
}

function taskOf({ kind, args, options, rest }: Words): Args {
  const { project, attempts, priority, delay } = options;
  return {
    kind,
    args,
    ...rest,
    ...(project === '' ? {} : { project }),
    ...(priority === '' ? {} : { priority: Number(priority) }),
    ...(attempts === '' ? {} : { retry: { attempts: Number(attempts) } }),
    ...(delay === '' ? {} : { delay }),
  };
}

const isMap = (value: Json | undefined): value is Args =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readTask(text: string): Words | null {
  let read: Json;
  try {
    read = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  if (!isMap(read)) return null;
  const { kind, args = {}, project, priority, delay, retry, ...rest } = read;
  if (typeof kind !== 'string' || !isMap(args)) return null;
  const isPlain = isMap(retry) && Object.keys(retry).join() === 'attempts';
  if (retry !== undefined && !isPlain) rest['retry'] = retry;
  const word = (value: Json | undefined) =>
    value === undefined || value === null ? '' : String(value);
  const options = {
    project: word(project),
    attempts: isPlain ? word(retry['attempts']) : '',
    priority: word(priority),
    delay: word(delay),
  };
  return { kind, args, options, rest };
}

// "/0/args/url" and "/args/url" are about url.
function fieldOf(pointer: string): string {
  const parts = pointer
    .split('/')
    .filter((part) => part !== '' && part !== 'args' && !/^\d+$/.test(part));
  return parts[0] ?? '';
}

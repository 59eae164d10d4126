import { useSignal } from '@preact/signals';
import { call, Refusal } from '../api';
import { curl } from '../curl';
import { Field } from '../parts/frame';
import { number } from '../parts/shown';
import { copy, tell } from '../parts/told';
import { knowsEole, w } from '../settings';

const kExample =
  '{"kind": "sleep", "args": {"seconds": 1}}\n{"kind": "echo", "args": {"text": "hello"}}\n';
const kWrongShown = 20;
const kCurl = () =>
  curl('POST', '/task', undefined, [
    '-H',
    "'Content-Type: application/x-ndjson'",
    '--data-binary',
    '@tasks.ndjson',
  ]);

/** Lines of JSON, typed or from a file, as many as there are. */
export function Many() {
  const text = useSignal('');
  const wrong = useSignal<string[]>([]);
  const isSending = useSignal(false);
  const accepted = useSignal<{ count: number; first: string } | null>(null);
  const lines = text.value.split('\n').filter((line) => line.trim() !== '').length;

  const good = useSignal(''); // The lines between those that are wrong.
  const submit = async (event: Event) => {
    event.preventDefault();
    const checked = check(text.value);
    wrong.value = checked.wrong;
    good.value = checked.wrong.length > 0 ? checked.good.join('\n') : '';
    if (wrong.value.length === 0 && lines > 0) await send(text.value);
  };
  const send = async (body: string) => {
    isSending.value = true;
    try {
      const { ids } = await call<{ ids: string[] }>('POST', '/task', body, {
        'content-type': 'application/x-ndjson',
      });
      accepted.value = { count: ids.length, first: ids[0] ?? '' };
      tell(w().acceptedMany(number(ids.length)));
      good.value = '';
      knowsEole.value = true;
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      wrong.value = [
        thrown.detail || w().noAnswer,
        ...thrown.errors.map((each) => `${lineOf(each.pointer)}${each.detail}`),
      ];
    }
    isSending.value = false;
  };
  return (
    <form class="wide" onSubmit={submit}>
      <Field id="lines" label={w().linesOfJson} hint={w().linesHint}>
        <textarea
          id="lines"
          class="mono"
          rows={14}
          spellcheck={false}
          aria-describedby="lines-hint"
          placeholder={kExample}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
      </Field>
      <Field id="file" label={w().orFile}>
        <input
          id="file"
          type="file"
          accept=".json,.ndjson,.jsonl,.txt,.csv"
          onChange={async (event) => {
            const file = event.currentTarget.files?.[0];
            if (!file) return;
            const said = await file.text();
            text.value = /\.csv$/i.test(file.name) ? linesOfTable(said) : said;
          }}
        />
      </Field>
      {wrong.value.length > 0 && (
        <ul class="wrong" role="alert">
          {wrong.value.slice(0, kWrongShown).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      <div class="actions">
        <button class="main" disabled={isSending.value || lines === 0}>
          {w().submitMany(number(lines))}
        </button>
        {good.value !== '' && (
          <button type="button" disabled={isSending.value} onClick={() => send(good.value)}>
            {w().submitGood(number(good.value.split('\n').length))}
          </button>
        )}
        <button type="button" class="plain" onClick={() => copy(kCurl())}>
          {w().copyCurl}
        </button>
        {accepted.value && (
          <a href={`/tasks/${accepted.value.first}`}>
            {w().acceptedMany(number(accepted.value.count))}
          </a>
        )}
      </div>
    </form>
  );
}

function check(text: string): { wrong: string[]; good: string[] } {
  const good: string[] = [];
  const wrong = text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return [];
    try {
      const task = JSON.parse(line) as { kind?: unknown } | null;
      if (typeof task?.kind !== 'string') return [w().lineWrong(at + 1, w().noKind)];
      good.push(line);
      return [];
    } catch {
      return [w().lineWrong(at + 1, w().noJson)];
    }
  });
  return { wrong, good };
}

/** A table, whose head names words of a task or else arguments, as lines of JSON. */
function linesOfTable(text: string): string {
  const [head = [], ...rows] = rowsOf(text);
  const words = ['kind', 'project', 'priority', 'delay', 'key'];
  return rows
    .map((row) => {
      const task: Record<string, unknown> = {};
      const args: Record<string, unknown> = {};
      head.forEach((name, at) => {
        const said = row[at] ?? '';
        if (said !== '')
          (words.includes(name) ? task : args)[name.replace(/^args\./, '')] = valueOf(said);
      });
      return JSON.stringify({ ...task, args });
    })
    .join('\n');
}

const valueOf = (text: string): unknown =>
  /^(-?(0|[1-9]\d{0,14})(\.\d+)?|true|false)$/.test(text) ? JSON.parse(text) : text;

// With quotation marks, a field may have commas, lines and (twice) quotation marks.
function rowsOf(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = '', end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g,
  )) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ',') rows.push([]);
  }
  return rows.filter((row) => row.some((each) => each !== ''));
}

function lineOf(pointer: string): string {
  const at = /^\/(\d+)/.exec(pointer);
  return at ? `${w().line(Number(at[1]) + 1)}: ` : '';
}

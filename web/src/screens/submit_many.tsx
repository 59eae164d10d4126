import { useSignal } from '@preact/signals';
import { Refusal, unheard } from '../api';
import { Field } from '../parts/frame';
import { number } from '../parts/shown';
import { tell } from '../parts/told';
import { knowsEole, w } from '../settings';

const kExample =
  '{"kind": "sleep", "args": {"seconds": 1}}\n{"kind": "echo", "args": {"text": "hello"}}\n';
const kWrongShown = 20;

/** Lines of JSON, typed or from a file, as many as there are. */
export function Many() {
  const text = useSignal('');
  const wrong = useSignal<string[]>([]);
  const isSending = useSignal(false);
  const accepted = useSignal<{ count: number; first: string } | null>(null);
  const lines = text.value.split('\n').filter((line) => line.trim() !== '').length;

  const submit = async (event: Event) => {
    event.preventDefault();
    wrong.value = check(text.value);
    if (wrong.value.length > 0 || lines === 0) return;
    isSending.value = true;
    try {
      const answer = await fetch('/task', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', accept: 'application/json' },
        body: text.value,
      });
      const said = (await answer.json()) as {
        ids?: string[];
        detail?: string;
        errors?: { pointer: string; detail: string }[];
      };
      if (answer.ok && said.ids) {
        accepted.value = { count: said.ids.length, first: said.ids[0] ?? '' };
        tell(w().acceptedMany(number(said.ids.length)));
        knowsEole.value = true;
      } else {
        wrong.value = [
          said.detail ?? '',
          ...(said.errors ?? []).map((each) => `${lineOf(each.pointer)}${each.detail}`),
        ];
      }
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) unheard();
      wrong.value = [w().noAnswer];
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
          accept=".json,.ndjson,.jsonl,.txt"
          onChange={async (event) =>
            (text.value = (await event.currentTarget.files?.[0]?.text()) ?? text.value)
          }
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
        {accepted.value && (
          <a href={`/tasks/${accepted.value.first}`}>
            {w().acceptedMany(number(accepted.value.count))}
          </a>
        )}
      </div>
    </form>
  );
}

function check(text: string): string[] {
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return [];
    try {
      const task = JSON.parse(line) as { kind?: unknown } | null;
      return typeof task?.kind === 'string' ? [] : [w().lineWrong(at + 1, w().noKind)];
    } catch {
      return [w().lineWrong(at + 1, w().noJson)];
    }
  });
}

function lineOf(pointer: string): string {
  const at = /^\/(\d+)/.exec(pointer);
  return at ? `${w().line(Number(at[1]) + 1)}: ` : '';
}

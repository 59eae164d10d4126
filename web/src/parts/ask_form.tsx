// A form of a few members of one request.
import { useSignal } from '@preact/signals';
import { call, Refusal } from '../api';
import { pulse } from '../live';
import { w } from '../settings';
import { Field } from './frame';
import { Curl, tell, tellRefusal } from './told';

export interface Member {
  name: string; // In the body.
  label: string;
  hint?: string;
  preset?: string;
  isJson?: boolean;
}

interface AskFormProps {
  path: string;
  members: Member[];
  yes: string;
  /** Instead of the request: asks first. */
  send?: (body: Record<string, unknown>) => Promise<void>;
}

/** What is left empty is not said; what is wrong is said at its field. */
export function AskForm({ path, members, yes, send }: AskFormProps) {
  const values = useSignal<Record<string, string>>({});
  const wrong = useSignal<{ name: string; text: string } | null>(null);
  const valueOf = (member: Member) => values.value[member.name] ?? member.preset ?? '';
  const read = () => {
    const body: Record<string, unknown> = {};
    let noJson = '';
    for (const member of members) {
      const value = valueOf(member).trim();
      if (value === '') continue;
      try {
        body[member.name] = member.isJson ? JSON.parse(value) : value;
      } catch {
        noJson = member.name;
      }
    }
    return { body, noJson };
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const { body, noJson } = read();
    wrong.value = noJson ? { name: noJson, text: w().noJson } : null;
    if (noJson) return;
    try {
      if (send) await send(body);
      else {
        await call('POST', path, body);
        tell(w().didIt);
      }
      values.value = {};
      pulse.value += 1;
    } catch (thrown) {
      const first = thrown instanceof Refusal && thrown.status === 400 && members[0];
      if (!first) return tellRefusal(thrown);
      const at = `${(thrown as Refusal).errors[0]?.pointer ?? ''}/`;
      const meant = members.find((each) => at.startsWith(`/${each.name}/`)) ?? first;
      wrong.value = { name: meant.name, text: (thrown as Refusal).detail };
    }
  };
  return (
    <form class="wide" onSubmit={submit}>
      <div class="fields">
        {members.map((each) => {
          const id = `${path}-${each.name}`.replace(/\W/g, '-');
          return (
            <Field
              key={id}
              id={id}
              label={each.label}
              hint={each.hint}
              wrong={wrong.value?.name === each.name ? wrong.value.text : undefined}
            >
              <input
                id={id}
                required={each.preset === undefined}
                spellcheck={false}
                aria-describedby={each.hint && `${id}-hint`}
                value={valueOf(each)}
                onInput={(event) =>
                  (values.value = { ...values.value, [each.name]: event.currentTarget.value })
                }
              />
            </Field>
          );
        })}
      </div>
      <div class="actions">
        <button class="main">{yes}</button>
        {!send && <Curl method="POST" path={path} body={read().body} />}
      </div>
    </form>
  );
}

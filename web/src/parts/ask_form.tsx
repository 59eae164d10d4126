// A form of a few members of one request.
import { useSignal } from '@preact/signals';
import { call, type Method, Refusal } from '../api';
import { pulse } from '../live';
import { w } from '../settings';
import type { Json, Role } from '../types';
import { may } from '../who';
import { Field } from './frame';
import { Curl, tell, tellRefusal } from './told';

export interface Member {
  name: string; // In the body.
  label: string;
  hint?: string;
  preset?: string;
  isJson?: boolean;
  isLong?: boolean;
  choices?: Record<string, string>; // Each with how it is called.
  saidAs?: RegExp; // What a refusal calls it, if not by its name.
}

type Said = Record<string, Json>;

interface AskFormProps {
  path: string;
  members: Member[];
  yes: string;
  needs?: Role;
  /** What is asked with what was said; without it that is posted to the path. */
  request?: (said: Said) => [Method, string, Said];
  /** Instead of the request: asks first. */
  send?: (said: Said) => Promise<void>;
  /** What was answered, in place of a word that it is done. */
  done?: (answer: never) => void;
}

/** What is left empty is not said; what is wrong is said at its field. */
export function AskForm(props: AskFormProps) {
  const { path, members, yes, needs = 'submit', request, send, done } = props;
  const values = useSignal<Record<string, string>>({});
  const wrong = useSignal<{ name: string; text: string } | null>(null);
  const valueOf = (member: Member) => values.value[member.name] ?? member.preset ?? '';
  const read = () => {
    const said: Said = {};
    let noJson = '';
    for (const member of members) {
      const value = valueOf(member).trim();
      if (value === '') continue;
      try {
        said[member.name] = member.isJson ? (JSON.parse(value) as Json) : value;
      } catch {
        noJson = member.name;
      }
    }
    const asked = request?.(said) ?? (['POST', path, said] as const);
    return { said, asked, noJson };
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const { said, asked, noJson } = read();
    wrong.value = noJson ? { name: noJson, text: w().noJson } : null;
    if (noJson) return;
    try {
      if (send) await send(said);
      else {
        const answer = await call<never>(...asked);
        const [method, to, body] = asked;
        done ? done(answer) : tell(w().didIt, { done: { method, path: to, body } });
      }
      values.value = {};
      pulse.value += 1;
    } catch (thrown) {
      const { status = 0 } = thrown instanceof Refusal ? thrown : {};
      if (!(thrown instanceof Refusal) || status < 400 || status >= 500 || [401, 429].includes(status))
        return tellRefusal(thrown);
      const at = /\w+/.exec(thrown.errors[0]?.pointer ?? thrown.detail)?.[0] ?? '';
      const meant = members.find(({ name, saidAs }) => (saidAs ? saidAs.test(at) : name === at));
      wrong.value = { name: (meant ?? members[0])?.name ?? '', text: thrown.detail };
    }
  };
  if (!may(needs)) return null;
  const { asked } = read();
  return (
    <form class="wide" onSubmit={submit}>
      <div class="fields">
        {members.map((each) => {
          const id = `${path}-${each.name}`.replace(/\W/g, '-');
          const text = wrong.value?.name === each.name ? wrong.value.text : undefined;
          const Tag = each.choices ? 'select' : each.isLong ? 'textarea' : 'input';
          return (
            <Field
              key={id}
              id={id}
              label={each.label}
              hint={each.hint}
              wrong={text}
              isWide={each.isLong}
            >
              <Tag
                id={id}
                class={each.isJson && each.isLong ? 'mono' : ''}
                required={each.preset === undefined}
                spellcheck={false}
                aria-describedby={each.hint && `${id}-hint`}
                value={valueOf(each)}
                onInput={(event: { currentTarget: { value: string } }) =>
                  (values.value = { ...values.value, [each.name]: event.currentTarget.value })
                }
              >
                {each.choices && <Choices of={each.choices} />}
              </Tag>
            </Field>
          );
        })}
      </div>
      <div class="actions">
        <button class="main">{yes}</button>
        {!send && <Curl method={asked[0]} path={asked[1]} body={asked[2]} />}
      </div>
    </form>
  );
}

export function Choices({ of }: { of: Record<string, string> }) {
  return (
    <>
      {Object.entries(of).map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </>
  );
}

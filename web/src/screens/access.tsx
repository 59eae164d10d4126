import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { call, Refusal } from '../api';
import { useAsked } from '../asked';
import { pulse } from '../live';
import { Empty, Field, Screen, Section, Shown } from '../parts/frame';
import { Ago } from '../parts/shown';
import { act, copy, Curl, sure, tell, tellRefusal } from '../parts/told';
import { w } from '../settings';
import type { Role, Token } from '../types';
import { who } from '../who';
import { listOf } from './overview';

/** Who may use this cluster over HTTP. */
export function Access() {
  const answer = useAsked<unknown>('/tokens', 2000);
  return (
    <Screen title={w().access}>
      <p class="soft">{who.value?.asks_token ? w().accessIs : w().accessIsOpen}</p>
      <Shown answer={answer}>
        {(data) => {
          const list = listOf<Token>(data, 'tokens');
          return list.length === 0 ? (
            <Empty>
              <p>{w().noTokens}</p>
            </Empty>
          ) : (
            <ul class="letters">
              {list.map((each) => (
                <One key={each.name} token={each} />
              ))}
            </ul>
          );
        }}
      </Shown>
      <Section title={w().addToken}>
        <Add />
      </Section>
    </Screen>
  );
}

type RoleEvent = JSX.TargetedEvent<HTMLSelectElement>;

function Roles(props: JSX.IntrinsicElements['select']) {
  return (
    <select {...props}>
      {(['observe', 'submit', 'admin'] as const).map((each) => (
        <option key={each} value={each}>
          {w().roleNames[each]}
        </option>
      ))}
    </select>
  );
}

function One({ token }: { token: Token }) {
  const { name } = token;
  const isOwn = name === who.value?.name; // Another admin changes it.
  const path = `/tokens/${encodeURIComponent(name)}`;
  const revoke = async () => {
    if (!(await sure(w().revokeSure(name), w().revoke))) return;
    if (await act('DELETE', path)) tell(w().didIt);
  };
  const change = async ({ currentTarget }: RoleEvent) => {
    const role = currentTarget.value as Role;
    const isSure = await sure(w().roleSure(name, w().roleNames[role]), w().role);
    if (isSure && (await act('PATCH', path, { role }))) tell(w().didIt);
    else currentTarget.value = token.role;
  };
  return (
    <li>
      <div class="letter-head">
        <strong>{name}</strong>
        <Roles
          aria-label={`${w().role} ${name}`}
          disabled={isOwn}
          value={token.role}
          onChange={change}
        />
        {token.prefix === '' ? <span>{w().allProjects}</span> : <span class="mono">{token.prefix}</span>}
        <span class="soft">
          {w().made} <Ago when={token.made} />
        </span>
        <span class="soft">
          {token.last_used ? (
            <>
              {w().lastUsed} <Ago when={token.last_used} /> {w().from(token.last_from ?? '')}
            </>
          ) : (
            w().notUsed
          )}
        </span>
        <span class="acts">
          <button
            class="plain"
            aria-label={`${w().revoke} ${name}`}
            disabled={isOwn}
            onClick={revoke}
          >
            {w().revoke}
          </button>
        </span>
      </div>
    </li>
  );
}

function Add() {
  const name = useSignal('');
  const role = useSignal<Role>('submit');
  const prefix = useSignal(who.value?.prefix ?? '');
  const shown = useSignal<Token | null>(null);
  const wrong = useSignal<{ field: string; text: string } | null>(null);
  const body = () => ({
    name: name.value.trim(),
    role: role.value,
    ...(prefix.value.trim() === '' ? {} : { prefix: prefix.value.trim() }),
  });
  const wrongOf = (field: string) => (wrong.value?.field === field ? wrong.value.text : undefined);
  const add = async (event: Event) => {
    event.preventDefault();
    wrong.value = null;
    try {
      shown.value = await call<Token>('POST', '/tokens', body());
      name.value = '';
      pulse.value += 1;
    } catch (thrown) {
      if (!(thrown instanceof Refusal) || ![400, 403, 409].includes(thrown.status))
        return tellRefusal(thrown);
      const field = /^prefix/.test(thrown.detail) ? 'prefix' : 'name';
      wrong.value = { field, text: thrown.detail };
    }
  };
  return (
    <>
      <form class="wide" onSubmit={add}>
        <div class="fields">
          <Field id="t-name" label={w().name} wrong={wrongOf('name')}>
            <input
              id="t-name"
              required
              value={name.value}
              onInput={(event) => (name.value = event.currentTarget.value)}
            />
          </Field>
          <Field id="t-role" label={w().role}>
            <Roles
              id="t-role"
              value={role.value}
              onChange={(event) => (role.value = event.currentTarget.value as Role)}
            />
          </Field>
          <Field id="t-prefix" label={w().prefix} hint={w().prefixHint} wrong={wrongOf('prefix')}>
            <input
              id="t-prefix"
              aria-describedby="t-prefix-hint"
              value={prefix.value}
              onInput={(event) => (prefix.value = event.currentTarget.value)}
            />
          </Field>
        </div>
        <div class="actions">
          <button class="main">{w().addIt}</button>
          <Curl method="POST" path="/tokens" body={body()} />
        </div>
      </form>
      {shown.value && (
        <div class="empty" role="status">
          <p>{w().shownOnce(shown.value.name)}</p>
          <pre class="token">{shown.value.token}</pre>
          <div class="actions">
            <button onClick={() => copy(shown.value?.token ?? '')}>{w().copyToken}</button>
            <button class="plain" onClick={() => (shown.value = null)}>
              {w().hide}
            </button>
          </div>
        </div>
      )}
    </>
  );
}

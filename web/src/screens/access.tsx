import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useAsked } from '../asked';
import { AskForm, Choices } from '../parts/ask_form';
import { Listed, Screen, Section } from '../parts/frame';
import { Ago } from '../parts/shown';
import { copy, does } from '../parts/told';
import { w } from '../settings';
import type { Role, Token } from '../types';
import { who } from '../who';

/** Who may use this cluster over HTTP. */
export function Access() {
  const answer = useAsked<unknown>('/tokens', 2000);
  return (
    <Screen title={w().access}>
      <p class="soft">{who.value?.asks_token ? w().accessIs : w().accessIsOpen}</p>
      <Listed<Token> answer={answer} name="tokens" empty={w().noTokens}>
        {(list) => (
          <ul class="letters">
            {list.map((each) => (
              <One key={each.name} token={each} />
            ))}
          </ul>
        )}
      </Listed>
      <Section title={w().addToken}>
        <Add />
      </Section>
    </Screen>
  );
}

function One({ token }: { token: Token }) {
  const { name } = token;
  const isOwn = name === who.value?.name; // Another admin changes it.
  const path = `/tokens/${encodeURIComponent(name)}`;
  const revoke = () => does('DELETE', path, [w().revokeSure(name), w().revoke]);
  const change = async ({ currentTarget }: JSX.TargetedEvent<HTMLSelectElement>) => {
    const role = currentTarget.value as Role;
    const question: [string, string] = [w().roleSure(name, w().roleNames[role]), w().role];
    if (!(await does('PATCH', path, question, { role }))) currentTarget.value = token.role;
  };
  return (
    <li>
      <div class="letter-head">
        <strong>{name}</strong>
        <select
          aria-label={`${w().role} ${name}`}
          disabled={isOwn}
          value={token.role}
          onChange={change}
        >
          <Choices of={w().roleNames} />
        </select>
        {token.prefix === '' ? (
          <span>{w().allProjects}</span>
        ) : (
          <span class="mono">{token.prefix}</span>
        )}
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
  const shown = useSignal<Token | null>(null);
  return (
    <>
      <AskForm
        path="/tokens"
        yes={w().addIt}
        needs="admin"
        done={(token: Token) => (shown.value = token)}
        members={[
          { name: 'name', label: w().name },
          { name: 'role', label: w().role, preset: 'submit', choices: w().roleNames },
          {
            name: 'prefix',
            label: w().prefix,
            hint: w().prefixHint,
            preset: who.value?.prefix ?? '',
          },
        ]}
      />
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

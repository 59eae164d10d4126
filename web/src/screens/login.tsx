import { useSignal } from '@preact/signals';
import { Refusal } from '../api';
import { Field, Screen } from '../parts/frame';
import { Modal } from '../parts/told';
import { go } from '../router';
import { w } from '../settings';
import { logIn, who } from '../who';

/** A token is shown, and kept by the browser as a cookie that no script can read. */
function Form({ after }: { after: () => void }) {
  const token = useSignal('');
  const wrong = useSignal('');
  const isAsking = useSignal(false);
  const show = async (event: Event) => {
    event.preventDefault();
    isAsking.value = true;
    try {
      await logIn(token.value.trim());
      token.value = '';
      after();
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      wrong.value =
        thrown.status === 401
          ? w().noSuchToken
          : thrown.status === 429
            ? w().tooManyTries
            : thrown.detail || w().noAnswer;
    } finally {
      isAsking.value = false;
    }
  };
  return (
    <form class="wide" onSubmit={show}>
      <Field id="l-token" label={w().token} wrong={wrong.value} hint={w().tokenHint}>
        <input
          id="l-token"
          type="password"
          required
          autofocus
          autocomplete="current-password"
          aria-describedby="l-token-hint"
          value={token.value}
          onInput={(event) => (token.value = event.currentTarget.value)}
        />
      </Field>
      <div class="actions">
        <button class="main" disabled={isAsking.value}>
          {w().logIn}
        </button>
      </div>
    </form>
  );
}

function How() {
  return (
    <details class="how">
      <summary>{w().howToken}</summary>
      <p class="soft">{w().howTokenText}</p>
      <pre>eole token add {w().myName} --role submit</pre>
    </details>
  );
}

export function Login() {
  const isNobody = who.value?.asks_token !== false;
  return (
    <Screen title={w().logIn}>
      {isNobody ? (
        <>
          <Form after={() => go('/')} />
          <How />
        </>
      ) : (
        <p>{w().noTokenNeeded}</p>
      )}
    </Screen>
  );
}

/** Over what is shown, which stays. */
export function LoginOver() {
  return (
    <Modal title={w().logIn} onClose={() => go('/login')}>
      <Form after={() => undefined} />
      <How />
    </Modal>
  );
}

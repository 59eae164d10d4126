import { useRef } from 'preact/hooks';
import { ask, query } from '../router';
import { w } from '../settings';

/** Where a list of what comes begins: an offset, or a time; empty: it is shown as it comes. */
export const placeAsked = () => query.value.get('at') ?? '';

export const isOffset = (at: string) => /^\d{1,16}$/.test(at);
/** A time as the gateway's routes take it; what is no date may be a span ago. */
export const timeOf = (at: string) => {
  const ms = Date.parse(at);
  return Number.isFinite(ms) ? String(ms) : at;
};

/** Jumps to an offset or a time, which the address keeps, and back to what comes. */
export function Jump() {
  const field = useRef<HTMLInputElement>(null);
  const at = placeAsked();
  return (
    <form
      class="jump"
      onSubmit={(event) => {
        event.preventDefault();
        ask({ at: field.current?.value.trim() ?? '' });
      }}
    >
      <input
        ref={field}
        key={at}
        class="mono"
        aria-label={w().jumpTo}
        placeholder={w().jumpHint}
        defaultValue={at}
      />
      <button>{w().jump}</button>
      {at !== '' && (
        <button type="button" class="plain" onClick={() => ask({ at: '' })}>
          {w().backToNow}
        </button>
      )}
    </form>
  );
}

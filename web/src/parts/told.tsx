// What a person is told of what they did, and asked before they do what cannot be undone.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { call, type Method, Refusal } from '../api';
import { curl } from '../curl';
import { pulse } from '../live';
import { w } from '../settings';
import type { Role } from '../types';
import { may } from '../who';
import { Field } from './frame';

interface Done {
  method: Method;
  path: string;
  body?: unknown;
}

interface Toast {
  text: string;
  done?: Done | undefined; // The request that this tells of.
  detail?: string | undefined;
  isWrong: boolean;
  link?: { to: string; text: string } | undefined;
}

const toast = signal<Toast | null>(null);
let fading: ReturnType<typeof setTimeout> | undefined;
const kSeenMs = 8000;

let last: Done | undefined; // For who tells of it at once.

export function tell(text: string, more: Partial<Toast> = {}): void {
  toast.value = { text, isWrong: false, done: last, ...more };
  last = undefined;
  clearTimeout(fading);
  if (!more.isWrong) fading = setTimeout(() => (toast.value = null), kSeenMs);
}

export function tellRefusal(thrown: unknown, done?: Done): void {
  if (!(thrown instanceof Refusal)) throw thrown;
  tell(thrown.status === 0 ? w().noAnswer : thrown.status === 403 ? w().notAllowed : w().refused, {
    detail: [
      thrown.detail,
      ...thrown.errors.map((each) => `${each.pointer}: ${each.detail}`),
      thrown.request && `${w().requestId} ${thrown.request}`,
    ]
      .filter((line) => line !== '')
      .join('\n'),
    isWrong: true,
    done,
  });
}

/** Does what a button says; tells if it was refused. */
export async function act<T>(method: Method, path: string, body?: unknown): Promise<T | null> {
  const done = method === 'GET' ? undefined : { method, path, body };
  try {
    const answer = await call<T>(method, path, body);
    pulse.value += 1;
    last = done;
    setTimeout(() => (last = last === done ? undefined : last));
    return answer ?? ({} as T);
  } catch (thrown) {
    tellRefusal(thrown, done);
    return null;
  }
}

/** Asks first if there is a question, does it, and tells that it is done. */
export async function does(
  method: Method,
  path: string,
  question?: [text: string, yes: string] | null,
  body?: unknown,
): Promise<boolean> {
  if (question && !(await sure(...question))) return false;
  if ((await act(method, path, body)) === null) return false;
  tell(w().didIt);
  return true;
}

interface ActProps {
  says: string;
  of?: string | undefined; // Which thing, for who does not see beside what it stands.
  needs?: Role;
  class?: string;
  onClick: () => unknown;
}

/** A button that changes something, for those who may. */
export function Act({ says, of, needs = 'submit', class: look, onClick }: ActProps) {
  if (!may(needs)) return null;
  return (
    <button class={look} {...(of && { 'aria-label': `${says} ${of}` })} onClick={onClick}>
      {says}
    </button>
  );
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard without TLS beyond this machine: a selection does it everywhere.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  tell(w().copied, { done: undefined });
}

/** "Copy as curl" of a request. */
export function Curl(props: { method: Method; path: string; body?: unknown }) {
  return (
    <button class="plain" onClick={() => copy(curl(props.method, props.path, props.body))}>
      {w().copyCurl}
    </button>
  );
}

export function Toasts() {
  const now = toast.value;
  return (
    <div class="toasts" role="status" aria-live="polite">
      {now && (
        <div class={`toast ${now.isWrong ? 'is-wrong' : ''}`}>
          <div>
            <strong>{now.text}</strong>
            {now.detail && <pre>{now.detail}</pre>}
            {now.link && <a href={now.link.to}>{now.link.text}</a>}
            {now.done && <Curl {...now.done} />}
          </div>
          <button class="plain" aria-label={w().close} onClick={() => (toast.value = null)}>
            ✕
          </button>
        </div>
      )}
    </div>
  );
}

interface Question {
  text: string;
  detail?: ComponentChildren;
  yes: string;
  name?: string | undefined; // To be typed before the answer can be yes.
  answer: (yes: boolean) => void;
}

const question = signal<Question | null>(null);
const typed = signal('');

/** Asks; true: yes. */
export function sure(
  text: string,
  yes: string,
  detail?: ComponentChildren,
  name?: string,
): Promise<boolean> {
  return new Promise((resolve) => {
    typed.value = '';
    question.value = {
      text,
      yes,
      detail,
      name,
      answer: (said) => {
        question.value = null;
        resolve(said);
      },
    };
  });
}

export function Questions() {
  const now = question.value;
  return (
    now && (
      <Modal title={now.text} onClose={() => now.answer(false)}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            now.answer(true);
          }}
        >
          {now.detail}
          {now.name && (
            <Field id="typed" label={w().typeName(now.name)}>
              <input
                id="typed"
                autofocus
                autocomplete="off"
                spellcheck={false}
                value={typed.value}
                onInput={(event) => (typed.value = event.currentTarget.value)}
              />
            </Field>
          )}
          <div class="actions">
            <button
              class="main"
              autofocus={!now.name}
              disabled={!!now.name && typed.value !== now.name}
            >
              {now.yes}
            </button>
            <button type="button" onClick={() => now.answer(false)}>
              {w().leaveIt}
            </button>
          </div>
        </form>
      </Modal>
    )
  );
}

interface ModalProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Modal({ title, onClose, children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement as HTMLElement | null;
    if (shown && !shown.open) shown.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="modal-title" onClose={onClose}>
      <h2 id="modal-title">{title}</h2>
      {children}
    </dialog>
  );
}

// What every screen is made of: its head, and its states when there is nothing to show.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { lost, type Refusal } from '../api';
import type { Answer } from '../asked';
import { w } from '../settings';
import type { Role } from '../types';
import { may } from '../who';

interface ScreenProps {
  title: string;
  aside?: ComponentChildren;
  isPart?: boolean; // Of another screen.
  children: ComponentChildren;
}

export function Screen({ title, aside, isPart = false, children }: ScreenProps) {
  useEffect(() => {
    if (!isPart) document.title = `${title} · Eole`;
  }, [title]);
  return (
    <>
      <header class="head">
        {isPart ? <h2>{title}</h2> : <h1>{title}</h1>}
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </>
  );
}

interface SectionProps extends Omit<ScreenProps, 'isPart'> {
  needs?: Role; // It is for those who may do what is in it.
}

export function Section({ title, aside, needs = 'observe', children }: SectionProps) {
  if (!may(needs)) return null;
  return (
    <section class="section" aria-label={title}>
      <div class="section-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A sentence that says why there is nothing, and the one next step. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

const kPatienceMs = 150;

/** Lines where the content will be; only if it takes longer than anybody notices. */
export function Skeleton({ lines = 6 }: { lines?: number }) {
  const isLate = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => (isLate.value = true), kPatienceMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="skeleton" aria-busy="true" role="status">
      <span class="unseen">{w().loading}</span>
      {isLate.value && Array.from({ length: lines }, (_, at) => <i key={at} />)}
    </div>
  );
}

interface ShownProps<T> {
  answer: Answer<T>;
  lines?: number;
  children: (data: T) => ComponentChildren;
}

/** The answer's data, or why there is none. Data of an earlier answer stays. */
export function Shown<T>({ answer, lines, children }: ShownProps<T>) {
  const { data, refusal } = answer;
  if (data !== null) return <>{children(data)}</>;
  if (refusal === null) return <Skeleton {...(lines === undefined ? {} : { lines })} />;
  return <Refused refusal={refusal} again={answer.ask} />;
}

/** Routes of lists say the list, or a map with the list in it. */
export function listOf<T>(data: unknown, name: string): T[] {
  if (Array.isArray(data)) return data as T[];
  const inner = (data as Record<string, unknown> | null)?.[name];
  return Array.isArray(inner) ? (inner as T[]) : [];
}

interface ListedProps<T> {
  answer: Answer<unknown>;
  name: string;
  empty: ComponentChildren;
  children: (list: T[]) => ComponentChildren;
}

/** The list that was answered, or what is said if nothing is in it. */
export function Listed<T>({ answer, name, empty, children }: ListedProps<T>) {
  return (
    <Shown answer={answer}>
      {(data) => {
        const list = listOf<T>(data, name);
        return list.length > 0 ? children(list) : <Empty>{empty}</Empty>;
      }}
    </Shown>
  );
}

/** Why there is nothing to show; `again` asks once more. */
export function Refused({ refusal, again }: { refusal: Refusal; again?: () => void }) {
  const { status, detail, request } = refusal;
  const said =
    status === 0
      ? w().noAnswer
      : status === 401
        ? w().needsToken
        : status === 403
          ? w().notAllowed
          : status === 404
            ? w().notThere
            : status >= 502 && status <= 504
              ? w().roleAway
              : w().refused;
  return (
    <div class="empty" role="alert">
      <p>
        <strong>{said}</strong>
      </p>
      {detail !== '' && <p class="mono">{detail}</p>}
      {request !== '' && (
        <p class="mono soft">
          {w().requestId} {request}
        </p>
      )}
      {again && (status === 0 || status >= 500) && lost.value === null && (
        <button onClick={again}>{w().tryAgain}</button>
      )}
    </div>
  );
}

interface FieldProps {
  label: string;
  hint?: string | undefined;
  wrong?: string | undefined;
  id: string;
  isWide?: boolean | undefined;
  children: ComponentChildren;
}

/** A labelled field; what is wrong with it is said under it. */
export function Field({ label, hint, wrong, id, isWide, children }: FieldProps) {
  return (
    <div class={`field ${wrong ? 'is-wrong' : ''} ${isWide ? 'is-wide' : ''}`}>
      <label for={id}>{label}</label>
      {children}
      {hint && !wrong && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {wrong && (
        <p class="wrong" id={`${id}-hint`} role="alert">
          {wrong}
        </p>
      )}
    </div>
  );
}

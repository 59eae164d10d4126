import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { isLive, watch } from '../live';
import { Section } from '../parts/frame';
import { save } from '../export';
import { number } from '../parts/shown';
import { w } from '../settings';
import type { Progress } from '../types';

const kTail = 65_536; // Characters that are shown of what it prints.
const kKept = 16 << 20; // And so many that a download has.
const kDrawMs = 100;

/** How far a running task is and what it prints, from when this page looks at it. */
export function Running({ id }: { id: string }) {
  const progress = useSignal<Progress | null>(null);
  const output = useSignal('');
  const isCut = useSignal(false);
  const all = useRef<string[]>([]);
  const size = useRef(0);
  const box = useRef<HTMLPreElement>(null);
  const follows = useSignal(true);
  useEffect(() => {
    const readers = new Map<string, TextDecoder>(); // A letter may come in two pieces.
    let fresh = '';
    let due: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      due = undefined;
      const next = output.peek() + fresh;
      fresh = '';
      if (next.length > kTail) isCut.value = true;
      output.value = next.slice(-kTail);
    };
    const stop = watch(id, (note) => {
      if (note.stream === undefined || !note.output) {
        progress.value = note;
        return;
      }
      const reader = readers.get(note.stream) ?? new TextDecoder();
      readers.set(note.stream, reader);
      const bytes = Uint8Array.from(atob(note.output.base64), (each) => each.charCodeAt(0));
      const text = reader.decode(bytes, { stream: true });
      all.current.push(text);
      size.current += text.length;
      while (size.current > kKept) size.current -= all.current.shift()?.length ?? 0;
      fresh = (fresh + text).slice(-kTail);
      due ??= setTimeout(draw, kDrawMs);
    });
    return () => {
      clearTimeout(due);
      stop();
    };
  }, [id]);
  // It moves only for who looks at its end.
  useEffect(() => {
    const shown = box.current;
    if (shown && follows.value) shown.scrollTop = shown.scrollHeight;
  }, [output.value]);
  const { done = 0, total = 0, text = '' } = progress.value ?? {};
  return (
    <>
      {progress.value && (
        <div class="progress">
          {total > 0 && <progress value={done} max={total} aria-label={w().progress} />}
          <span>
            {total > 0 ? `${Math.floor((done / total) * 100)} %` : done > 0 ? number(done) : ''}{' '}
            {text}
          </span>
        </div>
      )}
      {output.value !== '' && (
        <Section
          title={w().output}
          aside={
            <span class="acts">
              <span class="soft">
                {isCut.value ? w().outputTail : w().outputSince}
                {!isLive.value && ` · ${w().polling}`}
              </span>
              <button
                class="plain"
                aria-pressed={follows.value}
                onClick={() => (follows.value = !follows.value)}
              >
                {w().follow}
              </button>
              <button class="plain" onClick={() => save(`${id}.txt`, all.current, 'text/plain')}>
                {w().download}
              </button>
            </span>
          }
        >
          <pre
            ref={box}
            class="output"
            tabIndex={0}
            onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) =>
              (follows.value = scrollTop + clientHeight >= scrollHeight - 24)
            }
          >
            {output.value}
          </pre>
        </Section>
      )}
    </>
  );
}

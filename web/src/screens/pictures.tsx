import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { curl } from '../curl';
import { filesOf } from '../dropped';
import { Empty, Field, Screen } from '../parts/frame';
import { TaskId } from '../parts/links';
import { bytes, Mark, seconds } from '../parts/shown';
import { Act, copy } from '../parts/told';
import { w } from '../settings';
import {
  findLeft,
  forget,
  forgetLeft,
  goOn,
  hold,
  isPicture,
  left,
  send,
  type Upload,
  uploads,
} from '../uploads';

/** Pictures dropped here come back smaller; before and after, with a slider between. */
export function Pictures() {
  const wishes = useSignal({ width: '1200', quality: '80' });
  const refused = useSignal<string[]>([]);
  const isOver = useSignal(false);
  const take = async (files: Iterable<File>) => {
    refused.value = [];
    for (const file of files) {
      if (await isPicture(file)) send(file, wishes.peek());
      else refused.value = [...refused.value, file.name];
    }
  };
  useEffect(() => void findLeft(), []);
  useEffect(() => {
    const over = (event: DragEvent) => {
      event.preventDefault();
      isOver.value = true;
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) isOver.value = false;
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      isOver.value = false;
      if (event.dataTransfer) void filesOf(event.dataTransfer.items).then(take);
    };
    const paste = (event: ClipboardEvent) => {
      if (event.clipboardData && event.clipboardData.files.length > 0)
        void take(event.clipboardData.files);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    addEventListener('paste', paste);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
      removeEventListener('paste', paste);
    };
  }, []);
  const wish = (name: 'width' | 'quality', most: number) => (
    <Field id={name} label={name === 'width' ? w().width : w().quality}>
      <input
        id={name}
        type="number"
        min={1}
        max={most}
        value={wishes.value[name]}
        onInput={(event) => (wishes.value = { ...wishes.value, [name]: event.currentTarget.value })}
      />
    </Field>
  );
  const upload = () => {
    const { width, quality } = wishes.value;
    const fields = ['image=@photo.jpg', `width=${width}`, `quality=${quality}`];
    return curl(
      'POST',
      '/upload',
      undefined,
      fields.flatMap((each) => ['-F', each]),
    );
  };
  return (
    <Screen title={w().pictures}>
      <div class={`drop ${isOver.value ? 'is-over' : ''}`}>
        <label class="button main" for="files">
          {w().choosePictures}
        </label>
        <input
          id="files"
          class="unseen"
          type="file"
          accept="image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff"
          multiple
          onChange={(event) => {
            void take(Array.from(event.currentTarget.files ?? []));
            event.currentTarget.value = '';
          }}
        />
        <span class="soft">{w().orDrop}</span>
        <div class="fields">
          {wish('width', 16384)}
          {wish('quality', 100)}
        </div>
        <button class="plain" onClick={() => copy(upload())}>
          {w().copyCurl}
        </button>
      </div>
      {refused.value.map((name) => (
        <p key={name} class="wrong" role="alert">
          {w().noPicture(name)}
        </p>
      ))}
      {left.value.map((each) => (
        <p key={each.key} class="bar-note">
          <span>
            <strong>{each.name}</strong> {w().leftOver(Math.floor((each.sent / each.size) * 100))}
          </span>
          <button class="plain" onClick={() => forgetLeft(each)}>
            {w().forget}
          </button>
        </p>
      ))}
      {uploads.value.length === 0 && left.value.length === 0 ? (
        <Empty>{w().noPictures}</Empty>
      ) : (
        <ul class="uploads">
          {uploads.value.map((each) => (
            <One key={each.id} upload={each} again={() => send(each.file, wishes.peek())} />
          ))}
        </ul>
      )}
    </Screen>
  );
}

const kStates = {
  sending: 'queued',
  held: 'waiting',
  processing: 'running',
  completed: 'done',
  failed: 'failed',
};

function One({ upload, again }: { upload: Upload; again: () => void }) {
  const { file, state, sent } = upload;
  const { rate } = upload;
  const saved = upload.bytes ? Math.round((1 - upload.bytes / file.size) * 100) : 0;
  return (
    <li>
      <div class="letter-head">
        <Mark state={kStates[state]} />
        <strong class="cut">{file.name}</strong>
        <span class="figures-in">
          {bytes(file.size)}
          {upload.bytes ? ` → ${bytes(upload.bytes)}` : ''}
        </span>
        {upload.bytes !== undefined && <span>{w().saved(saved)}</span>}
        {state === 'sending' && (
          <span class="soft">
            {w().speed(bytes(rate))} {rate > 0 && w().doneIn(seconds((file.size - sent) / rate))}
          </span>
        )}
        {state === 'held' && (
          <span class="soft">{w().safe(Math.floor((sent / file.size) * 100))}</span>
        )}
        <span class="acts">
          {upload.taskId && <TaskId id={upload.taskId} />}
          {upload.to && (
            <a href={upload.to} download={upload.fileName}>
              {w().download}
            </a>
          )}
          {state === 'sending' && (
            <Act class="plain" says={w().pauseIt} of={file.name} onClick={() => hold(upload.id)} />
          )}
          {state === 'held' && (
            <Act class="plain" says={w().goOn} of={file.name} onClick={() => goOn(upload.id)} />
          )}
          {(state === 'completed' || state === 'failed') && (
            <Act class="plain" says={w().again} of={file.name} onClick={again} />
          )}
          <Act
            class="plain"
            says={state === 'sending' ? w().stop : w().hide}
            of={file.name}
            onClick={() => forget(upload.id)}
          />
        </span>
      </div>
      {(state === 'sending' || state === 'held') && (
        <progress value={sent} max={file.size} aria-label={`${w().sending} ${file.name}`} />
      )}
      {state === 'failed' && <p class="error">{upload.error || w().noAnswer}</p>}
      {upload.to && <Compare file={file} after={upload.to} />}
    </li>
  );
}

/** The picture that was sent, and over it, up to the slider, what came back. */
function Compare({ file, after }: { file: File; after: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const at = useSignal(50);
  useEffect(() => {
    let isGone = false;
    // Drawn, and not shown from a blob's address: nothing but this server's is loaded here.
    void createImageBitmap(file, { imageOrientation: 'from-image' }).then(
      (picture) => {
        const shown = canvas.current;
        if (isGone || !shown) return;
        const width = Math.min(1200, picture.width);
        shown.width = width;
        shown.height = Math.round((picture.height / picture.width) * width);
        shown.getContext('2d')?.drawImage(picture, 0, 0, shown.width, shown.height);
        picture.close();
      },
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [file]);
  return (
    <div class="compare">
      <div class="compare-pictures">
        <canvas ref={canvas} role="img" aria-label={`${w().before}: ${file.name}`} />
        <img
          src={after}
          alt={`${w().after}: ${file.name}`}
          style={{ clipPath: `inset(0 0 0 ${at.value}%)` }}
        />
        <i style={{ left: `${at.value}%` }} />
        <span class="compare-left">{w().before}</span>
        <span class="compare-right">{w().after}</span>
      </div>
      <input
        type="range"
        min={0}
        max={100}
        value={at.value}
        aria-label={w().slider}
        onInput={(event) => (at.value = Number(event.currentTarget.value))}
      />
    </div>
  );
}

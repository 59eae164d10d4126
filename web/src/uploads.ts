// Pictures on their way: sent, compressed, fetched. Lives longer than the screen that shows them.
import { signal } from '@preact/signals';
import { address, heard, pause, Refusal, unheard } from './api';

export interface Upload {
  id: number;
  file: File;
  wishes: Wishes;
  state: 'sending' | 'held' | 'processing' | 'completed' | 'failed';
  sent: number; // Bytes.
  rate: number; // Bytes a second.
  error?: string;
  fileName?: string;
  taskId?: string;
  to?: string; // Where the result is to be had.
  bytes?: number; // Of the result.
  abort?: () => void;
}

export const uploads = signal<readonly Upload[]>([]);
let count = 0;

function change(id: number, to: Partial<Upload>): void {
  uploads.value = uploads.value.map((each) => (each.id === id ? { ...each, ...to } : each));
}
export const forget = (id: number) => {
  const one = uploads.value.find((each) => each.id === id);
  uploads.value = uploads.value.filter((each) => each.id !== id);
  one?.abort?.();
};

// What a file begins with says what it is, whatever its name.
const kMagic: [number, number[]][] = [
  [0, [0xff, 0xd8, 0xff]], // JPEG
  [0, [0x89, 0x50, 0x4e, 0x47]], // PNG
  [8, [0x57, 0x45, 0x42, 0x50]], // WebP
  [0, [0x47, 0x49, 0x46, 0x38]], // GIF
  [0, [0x42, 0x4d]], // BMP
  [0, [0x49, 0x49, 0x2a, 0x00]], // TIFF
  [0, [0x4d, 0x4d, 0x00, 0x2a]],
];

export async function isPicture(file: File): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  return kMagic.some(([from, bytes]) => bytes.every((byte, at) => head[from + at] === byte));
}

export interface Wishes {
  width: string;
  quality: string;
}

/** What broke off when the page was left: so much of it is safe, and goes on with the same file. */
export interface Left {
  key: string;
  name: string;
  size: number;
  wishes: Wishes;
  sent: number;
}
export const left = signal<readonly Left[]>([]);
const kKey = 'eole.upload.';

/** Asks how much is safe of each; what has expired or was taken in is forgotten. */
export async function findLeft(): Promise<void> {
  const under = new Set(uploads.peek().map(nameOf));
  const found: Left[] = [];
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(kKey) || under.has(key)) continue;
    const parts = key.slice(kKey.length).split('.');
    const [size = '', , width = '', quality = ''] = parts.slice(-4);
    const to = localStorage.getItem(key) ?? '';
    const head = await fetch(to, { method: 'HEAD', headers: kTus }).catch(() => null);
    if (!head) continue; // It is asked again next time.
    if (!head.ok || head.headers.has('eole-task')) {
      localStorage.removeItem(key);
      continue;
    }
    found.push({
      key,
      name: parts.slice(0, -4).join('.'),
      size: Number(size),
      wishes: { width, quality },
      sent: Number(head.headers.get('upload-offset') ?? 0),
    });
  }
  left.value = found;
}

export function forgetLeft({ key }: Left): void {
  const to = localStorage.getItem(key);
  localStorage.removeItem(key);
  left.value = left.value.filter((each) => each.key !== key);
  if (to) void fetch(to, { method: 'DELETE', headers: kTus }).catch(() => undefined);
}

export function send(file: File, asked: Wishes): void {
  count += 1;
  const id = count;
  const begun = left.peek().find((each) => each.key.startsWith(fileKey(file)));
  const wishes = begun?.wishes ?? asked;
  if (begun) left.value = left.value.filter((each) => each !== begun);
  uploads.value = [{ id, file, wishes, state: 'sending', sent: 0, rate: 0 }, ...uploads.value];
  void run(id);
}

export function hold(id: number): void {
  const one = uploads.value.find((each) => each.id === id);
  change(id, { state: 'held' });
  one?.abort?.();
}
export function goOn(id: number): void {
  change(id, { state: 'sending' });
  void run(id);
}

// ---- tus 1.0 (https://tus.io): what is sent is safe, and a break goes on where it was.

const kTus = { 'tus-resumable': '1.0.0' };

const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// Where an upload of this file goes on, also after the page was loaded anew.
const fileKey = (file: File) => `${kKey}${file.name}.${file.size}.${file.lastModified}.`;
const nameOf = ({ file, wishes }: Upload) => `${fileKey(file)}${wishes.width}.${wishes.quality}`;

async function create(upload: Upload): Promise<string> {
  const words = {
    filename: upload.file.name,
    width: upload.wishes.width,
    quality: upload.wishes.quality,
  };
  const said = Object.entries(words)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name} ${base64(value)}`);
  const answer = await fetch('/uploads', {
    method: 'POST',
    headers: {
      ...kTus,
      'upload-length': String(upload.file.size),
      'upload-metadata': said.join(','),
    },
  });
  const to = answer.headers.get('location');
  if (answer.status !== 201 || to === null) throw await refusalOf(answer);
  localStorage.setItem(nameOf(upload), to);
  return to;
}

async function refusalOf(answer: Response): Promise<Refusal> {
  const said = read(await answer.text());
  return new Refusal(answer.status, String(said['detail'] ?? answer.status));
}

interface Taken {
  fileName: string;
  taskId: string;
}

function takenOf(field: (name: string) => string | null): Taken | null {
  const name = field('eole-file-name');
  return name === null
    ? null
    : { fileName: decodeURIComponent(name), taskId: field('eole-task') ?? '' };
}

// Sends what is missing; nothing: it was stopped, or broke off.
function patch(upload: Upload, to: string, offset: number): Promise<Taken | Refusal | null> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch() does not say how much was sent.
    const began = Date.now();
    request.open('PATCH', to);
    for (const [name, value] of Object.entries({ ...kTus, 'upload-offset': String(offset) })) {
      request.setRequestHeader(name, value);
    }
    request.setRequestHeader('content-type', 'application/offset+octet-stream');
    request.upload.onprogress = ({ loaded }) =>
      change(upload.id, {
        sent: offset + loaded,
        rate: (loaded * 1000) / Math.max(Date.now() - began, 1),
      });
    request.onabort = () => resolve(null);
    request.onerror = () => {
      unheard();
      resolve(null);
    };
    request.onload = () => {
      heard();
      const taken = takenOf((name) => request.getResponseHeader(name));
      const said = read(request.responseText);
      resolve(
        request.status < 300
          ? taken
          : new Refusal(request.status, String(said['detail'] ?? request.status)),
      );
    };
    change(upload.id, { abort: () => request.abort() });
    request.send(upload.file.slice(offset));
  });
}

async function run(id: number): Promise<void> {
  for (;;) {
    const upload = uploads.value.find((each) => each.id === id);
    if (upload?.state !== 'sending') return;
    try {
      const to = localStorage.getItem(nameOf(upload)) ?? (await create(upload));
      const head = await fetch(to, { method: 'HEAD', headers: kTus });
      heard();
      let taken = takenOf((name) => head.headers.get(name));
      if (head.status === 404 || head.status === 410) {
        localStorage.removeItem(nameOf(upload)); // It has expired: anew.
        continue;
      }
      const offset = Number(head.headers.get('upload-offset') ?? 0);
      change(id, { sent: offset });
      if (!taken && head.ok) {
        const outcome = await patch(upload, to, offset);
        if (outcome instanceof Refusal) throw outcome;
        taken = outcome;
      }
      if (taken) {
        localStorage.removeItem(nameOf(upload));
        change(id, { state: 'processing', sent: upload.file.size, ...taken });
        return void follow(id, taken.fileName);
      }
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.status >= 400 && thrown.status < 500) {
        localStorage.removeItem(nameOf(upload));
        return change(id, { state: 'failed', error: thrown.detail });
      }
      unheard();
    }
    await new Promise((done) => setTimeout(done, pause()));
  }
}

const kAskMs = 500;

async function follow(id: number, fileName: string): Promise<void> {
  while (uploads.value.some((each) => each.id === id)) {
    try {
      const answer = await fetch(address('/status', { file_name: fileName }), {
        headers: { accept: 'application/json' },
      });
      heard();
      const said = read(await answer.text());
      if (said['status'] === 'completed') {
        const to = String(said['download_url'] ?? address('/download', { file_name: fileName }));
        const head = await fetch(to, { method: 'HEAD' });
        change(id, {
          state: 'completed',
          to,
          bytes: Number(head.headers.get('content-length') ?? 0),
        });
        return;
      }
      if (answer.status >= 400 || said['status'] === 'failed') {
        change(id, {
          state: 'failed',
          error: String(said['error'] ?? said['detail'] ?? answer.status),
        });
        return;
      }
    } catch {
      unheard(); // It is asked on: what was accepted is done, whoever is away.
    }
    await new Promise((done) => setTimeout(done, kAskMs));
  }
}

function read(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}

// Resumable uploads by tus-js-client: created, broken off by kill -9, deferred, in parallel, terminated.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, test } from "node:test";
import { FileUrlStorage, Upload } from "tus-js-client";
import { get, kill, page, until } from "./gateway.mjs";

const content = randomBytes(2_999_999);
const digest = createHash("sha256").update(content).digest("hex");
const metadata = { filename: "tus.bin", kind: "echo" };
let directory, file;

before(() => {
  directory = mkdtempSync(join(tmpdir(), "eole-tus-"));
  file = join(directory, "tus.bin");
  writeFileSync(file, content);
});
after(() => rmSync(directory, { recursive: true }));

// The upload once it is over; `options.begin` is called with it instead of start().
function uploaded(source, { begin, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(source, {
      endpoint: page + "/uploads", chunkSize: 500_000, metadata, retryDelays: Array(50).fill(100),
      onError: reject, onSuccess: () => resolve(upload), ...options,
    });
    begin ? begin(upload) : upload.start();
  });
}

async function check(upload) {
  const told = await get(new URL(upload.url).pathname);
  assert.equal(told.sha256, digest);
  await until(async () => (await get(`/task/${told.task_id}`)).state === "done", "its task is done");
}

test("in chunks", async () => check(await uploaded(createReadStream(file), { addRequestId: true })));

test("over a gateway that is killed between two chunks", async () => {
  let killed;
  await check(await uploaded(createReadStream(file), { onChunkComplete: () => (killed ??= kill()) }));
  await (await killed)();
});

test("a later run finds what an earlier one began", async () => {
  const storage = { urlStorage: new FileUrlStorage(join(directory, "urls.json")), storeFingerprintForResuming: true };
  const first = await new Promise((resolve, reject) => {
    const upload = new Upload(createReadStream(file), {
      endpoint: page + "/uploads", chunkSize: 500_000, metadata, ...storage, onError: reject,
      onChunkComplete: () => upload.abort().then(() => resolve(upload)),
    });
    upload.start();
  });
  await (await kill())();
  const second = await uploaded(createReadStream(file), {
    ...storage,
    begin: async (upload) => {
      const [previous] = await upload.findPreviousUploads();
      upload.resumeFromPreviousUpload(previous);
      upload.start();
    },
  });
  assert.equal(second.url, first.url);
  await check(second);
});

test("of a length that is told at the end", async () =>
  check(await uploaded(createReadStream(file).pipe(new PassThrough()), { uploadLengthDeferred: true })));

test("in four parts at once", async () => check(await uploaded(content, { parallelUploads: 4, chunkSize: Infinity })));

test("terminated", async () => {
  const url = await new Promise((resolve, reject) => {
    const upload = new Upload(createReadStream(file), {
      endpoint: page + "/uploads", chunkSize: 500_000, metadata, onError: reject,
      onChunkComplete: () => upload.abort(true).then(() => resolve(upload.url), reject),
    });
    upload.start();
  });
  const { status } = await fetch(url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
  assert.equal(status, 404);
});

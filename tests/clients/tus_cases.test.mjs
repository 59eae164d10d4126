// What a server of tus 1.0.0 answers, case by case: the gateway, and before it @tus/server, which
// judges the table itself (but for what its file store has not).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import { page } from "./gateway.mjs";

const kBytes = Buffer.from("0123456789");
const kOctets = "application/offset+octet-stream";
const b64 = (text) => Buffer.from(text).toString("base64");
const kMetadata = `filename ${b64("a.bin")},kind ${b64("echo")}`;
const sha1 = (bytes) => `sha1 ${createHash("sha1").update(bytes).digest("base64")}`;

let directory, oracle;
const servers = { "@tus/server": null, gateway: page };
before(async () => {
  directory = mkdtempSync(join(tmpdir(), "eole-tus-oracle-"));
  const server = new Server({ path: "/uploads", relativeLocation: true, datastore: new FileStore({ directory }) });
  oracle = server.listen({ host: "127.0.0.1", port: 0 });
  await once(oracle, "listening");
  servers["@tus/server"] = `http://127.0.0.1:${oracle.address().port}`;
});
after(() => {
  oracle.close();
  rmSync(directory, { recursive: true });
});

class Tus {
  constructor(home) {
    this.home = home;
  }
  async ask(method, path, fields = {}, body = undefined) {
    const headers = { "Tus-Resumable": "1.0.0", ...fields };
    for (const name of Object.keys(headers)) if (headers[name] === null) delete headers[name];
    const answer = await fetch(new URL(path, this.home), { method, headers, body, redirect: "manual" });
    await answer.arrayBuffer();
    return answer;
  }
  async status(method, path, fields, body) {
    return (await this.ask(method, path, fields, body)).status;
  }
  async make(fields = {}, body = undefined) {
    const answer = await this.ask("POST", "/uploads", { "Upload-Length": "10", "Upload-Metadata": kMetadata, ...fields }, body);
    assert.equal(answer.status, 201);
    return answer.headers.get("location");
  }
  patch(path, offset, body, fields = {}) {
    return this.ask("PATCH", path, { "Content-Type": kOctets, "Upload-Offset": String(offset), ...fields }, body);
  }
  async offset(path) {
    const answer = await this.ask("HEAD", path);
    assert.equal(answer.status, 200);
    return Number(answer.headers.get("upload-offset"));
  }
}

async function isRefused(tus, version) {
  const path = await tus.make();
  const fields = { "Tus-Resumable": version, "Upload-Length": "1" };
  for (const [method, at] of [["POST", "/uploads"], ["HEAD", path], ["PATCH", path], ["DELETE", path]])
    assert.equal(await tus.status(method, at, fields), 412, method);
  assert.equal(await tus.offset(path), 0);
}

const cases = {
  async "OPTIONS tells versions and extensions"(tus) {
    const { status, headers } = await tus.ask("OPTIONS", "/uploads", { "Tus-Resumable": null });
    assert.ok(status === 200 || status === 204);
    assert.match(headers.get("tus-version"), /\b1\.0\.0\b/);
    for (const each of ["creation", "creation-with-upload", "creation-defer-length", "termination", "expiration"])
      assert.ok(headers.get("tus-extension").split(",").includes(each), each);
  },
  "no version is 412": (tus) => isRefused(tus, null),
  async "a length, or that it comes later, but not both"(tus) {
    for (const fields of [{}, { "Upload-Length": "1", "Upload-Defer-Length": "1" }, { "Upload-Defer-Length": "2" },
                          { "Upload-Length": "-1" }, { "Upload-Length": "x" }, { "Upload-Length": "1.5" }])
      assert.equal(await tus.status("POST", "/uploads", fields), 400, JSON.stringify(fields));
  },
  async "metadata that is none is 400, and is told as it came"(tus) {
    for (const written of ["filename !", "filename YQ== b", ",", "filename YQ==,filename YQ=="])
      assert.equal(await tus.status("POST", "/uploads", { "Upload-Length": "1", "Upload-Metadata": written }), 400, written);
    const { headers } = await tus.ask("HEAD", await tus.make());
    assert.deepEqual(headers.get("upload-metadata").split(",").sort(), kMetadata.split(",").sort());
  },
  async "HEAD tells offset and length, and is not to be kept"(tus) {
    const { headers } = await tus.ask("HEAD", await tus.make());
    assert.deepEqual([headers.get("upload-offset"), headers.get("upload-length")], ["0", "10"]);
    assert.match(headers.get("cache-control"), /no-store/);
    assert.equal(headers.get("tus-resumable"), "1.0.0");
  },
  async "what is not there is 404"(tus) {
    const path = "/uploads/00000000000000000000000000000000";
    assert.equal(await tus.status("HEAD", path), 404);
    assert.equal((await tus.patch(path, 0, "x")).status, 404);
    assert.equal(await tus.status("DELETE", path), 404);
  },
  async "it comes in pieces"(tus) {
    const path = await tus.make();
    for (const [from, to] of [[0, 4], [4, 5], [5, 10]]) {
      const { status, headers } = await tus.patch(path, from, kBytes.subarray(from, to));
      assert.deepEqual([status, headers.get("upload-offset")], [204, String(to)]);
    }
    assert.equal(await tus.offset(path), 10);
  },
  async "another offset is 409, and nothing is written"(tus) {
    const path = await tus.make();
    assert.equal((await tus.patch(path, 0, kBytes.subarray(0, 4))).status, 204);
    for (const offset of [0, 3, 5, 10]) assert.equal((await tus.patch(path, offset, "x")).status, 409, String(offset));
    assert.equal(await tus.offset(path), 4);
  },
  async "an offset that is none, or another type, is refused"(tus) {
    const path = await tus.make();
    for (const fields of [{ "Upload-Offset": null }, { "Upload-Offset": "-1" }, { "Upload-Offset": "x" },
                          { "Content-Type": "text/plain" }]) {
      const { status } = await tus.patch(path, 0, "x", fields);
      assert.ok([400, 403, 409, 415].includes(status), `${JSON.stringify(fields)}: ${status}`);
    }
    assert.equal(await tus.offset(path), 0);
  },
  async "more than its length is refused"(tus) {
    const path = await tus.make();
    const { status } = await tus.patch(path, 0, "x".repeat(20));
    assert.ok(status === 400 || status === 413, String(status));
    assert.ok((await tus.offset(path)) <= 10);
  },
  async "of a length that comes later"(tus) {
    const path = await tus.make({ "Upload-Length": null, "Upload-Defer-Length": "1" });
    assert.equal((await tus.ask("HEAD", path)).headers.get("upload-defer-length"), "1");
    assert.equal((await tus.patch(path, 0, kBytes.subarray(0, 4))).status, 204);
    assert.equal((await tus.patch(path, 4, kBytes.subarray(4), { "Upload-Length": "10" })).status, 204);
    const { headers } = await tus.ask("HEAD", path);
    assert.deepEqual([headers.get("upload-length"), headers.get("upload-offset")], ["10", "10"]);
  },
  async "a length is said once"(tus) {
    const path = await tus.make();
    assert.equal((await tus.patch(path, 0, "x", { "Upload-Length": "11" })).status, 400);
  },
  async "created with its first bytes"(tus) {
    const fields = { "Upload-Length": "10", "Upload-Metadata": kMetadata, "Content-Type": kOctets };
    const { status, headers } = await tus.ask("POST", "/uploads", fields, kBytes.subarray(0, 7));
    assert.deepEqual([status, headers.get("upload-offset")], [201, "7"]);
    assert.equal(await tus.offset(headers.get("location")), 7);
  },
  async "of no bytes"(tus) {
    assert.equal(await tus.offset(await tus.make({ "Upload-Length": "0" })), 0);
  },
  async "terminated it is gone"(tus) {
    const path = await tus.make();
    assert.equal(await tus.status("DELETE", path), 204);
    const { status } = await tus.ask("HEAD", path);
    assert.ok(status === 404 || status === 410);
  },
  async "another method may be said in a field"(tus) {
    const path = await tus.make();
    const fields = { "X-HTTP-Method-Override": "PATCH", "Content-Type": kOctets, "Upload-Offset": "0" };
    assert.equal(await tus.status("POST", path, fields, "x"), 204);
    assert.equal(await tus.offset(path), 1);
  },
};

const ofGateway = {
  "another version is 412": (tus) => isRefused(tus, "0.2.2"), // The oracle says 400.
  async "a checksum is judged, and nothing of what fails is kept"(tus) {
    const path = await tus.make();
    const half = kBytes.subarray(0, 5);
    const checked = async (written) => (await tus.patch(path, 0, half, { "Upload-Checksum": written })).status;
    assert.equal(await checked(sha1("other")), 460);
    assert.equal(await checked(`md5 ${b64("x")}`), 400);
    assert.equal(await checked("sha1"), 400);
    assert.equal(await tus.offset(path), 0);
    assert.equal(await checked(sha1(half)), 204);
  },
  async "an upload ends by itself some day"(tus) {
    const answer = await tus.ask("POST", "/uploads", { "Upload-Length": "1", "Upload-Metadata": kMetadata });
    const expires = answer.headers.get("upload-expires");
    assert.equal(new Date(expires).toUTCString(), expires);
    assert.ok(Date.parse(expires) > Date.now());
  },
  async "of parts, that are whole"(tus) {
    const part = (bytes) =>
      tus.make({ "Upload-Length": String(bytes.length), "Upload-Concat": "partial", "Content-Type": kOctets }, bytes);
    const parts = [await part(kBytes.subarray(0, 4)), await part(kBytes.subarray(4))];
    assert.equal((await tus.ask("HEAD", parts[0])).headers.get("upload-concat"), "partial");
    const whole = await tus.make({ "Upload-Length": null, "Upload-Concat": `final;${parts.join(" ")}` });
    const { headers } = await tus.ask("HEAD", whole);
    assert.equal(headers.get("upload-length"), "10");
    assert.equal(headers.get("upload-concat"), `final;${parts.join(" ")}`);
    assert.equal((await tus.patch(whole, 10, "x")).status, 403);
    const begun = await tus.make({ "Upload-Concat": "partial" });
    for (const written of [`final;${begun}`, "final;/uploads/none", "final;", "half"])
      assert.ok((await tus.status("POST", "/uploads", { "Upload-Concat": written })) >= 400, written);
  },
};

for (const server of Object.keys(servers))
  for (const [name, run] of Object.entries(server === "gateway" ? { ...cases, ...ofGateway } : cases))
    test(`${server}: ${name}`, () => run(new Tus(servers[server])));

// What is told live, heard by `eventsource` and `ws`.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { EventSource } from "eventsource";
import faye from "faye-websocket";
import WebSocket from "ws";
import { kill, live, page, submit, until } from "./gateway.mjs";

const echoes = (project, count) => submit(Array.from({ length: count }, (_, args) => ({ kind: "echo", args, project })));

test("an EventSource misses nothing and hears nothing twice over a killed gateway", async () => {
  const source = new EventSource(`${page}/events?topic=sse/%23`);
  const seen = [];
  source.onmessage = (event) => seen.push({ at: Number(event.lastEventId), ...JSON.parse(event.data) });
  await once(source, "open");
  const ids = await echoes("sse", 20);
  await until(() => seen.length > 10, "half of them are heard");
  const back = await kill();
  await back();
  ids.push(...(await echoes("sse", 20)));
  await until(() => seen.length >= 40, "all are heard");
  source.close();
  assert.deepEqual(seen.map((event) => event.id).sort(), ids.sort());
  assert.deepEqual(seen.map((event) => event.at), seen.map((event) => event.offset));
  assert.deepEqual(seen.map((event) => event.offset), [...new Set(seen.map((event) => event.offset))].sort((a, b) => a - b));
});

for (const perMessageDeflate of [true, false])
  test(`a WebSocket ${perMessageDeflate ? "that offers" : "without"} deflate`, async () => {
    const project = `ws-${perMessageDeflate}`;
    const socket = new WebSocket(`${live}/notifications?topic=nothing`, { perMessageDeflate });
    const said = [];
    socket.on("message", (data, isBinary) => said.push({ isBinary, ...JSON.parse(data) }));
    await once(socket, "open");
    assert.equal(socket.extensions, "");  // Declined.
    const pong = once(socket, "pong");
    socket.send('{"topic": ', { fin: false });
    socket.ping("between");
    socket.send(`"${project}`, { fin: false });
    socket.send('/#"}', { fin: true });
    assert.equal(String((await pong)[0]), "between");
    socket.send("{}");
    await until(() => said.some((each) => each.type === "error"), "what it said before is heard, too");
    const ids = await echoes(project, 10);
    const events = await until(() => {
      const found = said.filter((each) => each.id !== undefined);
      return found.length === 10 && found;
    }, "all ends");
    assert.deepEqual(events.map((event) => event.id).sort(), ids.sort());
    assert.ok(said.every((each) => !each.isBinary));
    socket.close(1000, "enough");
    assert.equal((await once(socket, "close"))[0], 1000);
  });

for (const [name, send, code] of [
  ["too large", (socket) => socket.send("x".repeat(5000)), 1009],
  ["binary", (socket) => socket.send(Buffer.from("{}")), 1003],
])
  test(`a message that is ${name} ends it with ${code}`, async () => {
    const socket = new WebSocket(`${live}/notifications`);
    await once(socket, "open");
    send(socket);
    assert.equal((await once(socket, "close"))[0], code);
  });

test("faye-websocket listens", async () => {
  const socket = new faye.Client(`${live}/notifications?topic=faye/%23`, [], { ping: 1 });
  await new Promise((opens, fails) => (socket.on("open", opens), socket.on("error", fails)));
  const seen = [];
  socket.on("message", ({ data }) => seen.push(JSON.parse(data)));
  let pongs = 0;
  socket.ping("here", () => (pongs += 1));
  const ids = await echoes("faye", 10);
  await until(() => seen.filter((each) => each.id !== undefined).length === 10 && pongs === 1, "all is heard");
  assert.deepEqual(seen.flatMap((each) => each.id ?? []).sort(), ids.sort());
  socket.close(1000, "enough");
  const { code } = await new Promise((closes) => socket.on("close", closes));
  assert.equal(code, 1000);
});

// WAMP as three clients speak it: the same script with each pair of them.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Wampy } from "wampy";
import WebSocket from "ws";
import { live, submit, until } from "./gateway.mjs";

const require = createRequire(import.meta.url);
const autobahn = require("autobahn");
const strasse = require("@verkehrsministerium/kraftfahrstrasse");
const url = `${live}/wamp`;
const realm = "eole";

class Failed extends Error {
  constructor(uri, args = []) {
    super(uri);
    Object.assign(this, { uri, args });
  }
}
const failing = (promise, uri) => assert.rejects(promise, (error) => (assert.equal(error.uri, uri), true));

// Each: subscribe(topic, hear, match), publish(topic, args), register(procedure, run(args, progress)), call(procedure, args,
// onProgress) with .cancel(), close().
const clients = {
  async autobahn() {
    const connection = new autobahn.Connection({
      url, realm, max_retries: 0, protocols: ["wamp.2.json"], on_user_error: () => {},
    });
    const session = await new Promise((resolve, reject) => {
      connection.onopen = resolve;
      connection.onclose = (reason) => (reject(new Error(reason)), true);
      connection.open();
    });
    const told = (promise) => promise.then((result) => result, (error) => { throw new Failed(error.error, error.args); });
    return {
      subscribe: (topic, hear, match = "exact") => told(session.subscribe(topic, (args) => hear(args), { match })),
      publish: (topic, args) => told(session.publish(topic, args, {}, { acknowledge: true })),
      register: (procedure, run) => told(session.register(procedure, async (args, kwargs, details) => {
        try {
          return await run(args, details.progress && ((value) => details.progress([value])));
        } catch (error) {
          throw new autobahn.Error(error.uri, error.args);
        }
      })),
      call(procedure, args, onProgress) {
        const under = session.call(procedure, args, {}, onProgress ? { receive_progress: true } : {});
        const result = told(new Promise((resolve, reject) => under.then(resolve, reject, onProgress)));
        return Object.assign(result, { cancel: () => under.cancel({ mode: "kill" }) });
      },
      close: () => new Promise((resolve) => {
        connection.onclose = (reason, details) => resolve(details.reason);
        connection.close();
      }),
    };
  },

  async wampy() {
    const client = new Wampy(url, { realm, ws: WebSocket, autoReconnect: false });
    await client.connect();
    const told = async (promise) => {
      try {
        return await promise;
      } catch (error) {
        throw new Failed(error.errorUri ?? error.error, error.argsList);
      }
    };
    return {
      subscribe: (topic, hear, match = "exact") => told(client.subscribe(topic, (event) => hear(event.argsList), { match })),
      publish: (topic, args) => told(client.publish(topic, args)),
      register: (procedure, run) => told(client.register(procedure, async ({ argsList, result_handler }) => {
        try {
          return { argsList: [await run(argsList, (value) => result_handler({ argsList: [value], options: { progress: true } }))] };
        } catch (error) {
          throw { error: error.uri, argsList: error.args };
        }
      })),
      call(procedure, args, onProgress) {
        const under = client.call(procedure, args, onProgress ? { progress_callback: (part) => onProgress(part.argsList[0]) } : {});
        const id = client.getOpStatus().reqId;
        const result = told(under).then((got) => got.argsList?.[0]);
        return Object.assign(result, { cancel: () => client.cancel(id, { mode: "kill" }) });
      },
      close: () => told(client.disconnect()),
    };
  },

  async kraftfahrstrasse() {
    const connection = new strasse.Connection({
      endpoint: url, realm, serializer: new strasse.JSONSerializer(), transport: strasse.NodeWebSocketTransport,
      transportOptions: {}, authProvider: new strasse.AnonymousAuthProvider(), logFunction: () => {},
    });
    await connection.Open();
    const told = async (promise) => {
      try {
        return await promise;
      } catch (error) {
        throw typeof error === "string" ? new Failed(error) : error;
      }
    };
    const answer = (value) => ({ args: [value], kwArgs: {} });
    return {
      subscribe: (topic, hear, match = "exact") => told(connection.Subscribe(topic, (args) => hear(args), { match })),
      publish: (topic, args) => told(connection.Publish(topic, args, {}, { acknowledge: true }).then((it) => it.OnPublished())),
      register: (procedure, run) => told(connection.Register(procedure, async (args) => {
        const parts = [];
        let last;
        try {
          last = await run(args, (value) => parts.push(value));
        } catch (error) {
          throw new strasse.WampError(error.uri, error.args);
        }
        return parts.reduceRight((next, value) => ({ ...answer(value), nextResult: Promise.resolve(next) }), answer(last));
      })),
      call(procedure, args, onProgress) {
        const [first, id] = connection.Call(procedure, args, {}, onProgress ? { receive_progress: true } : {});
        const result = told(first).then(async (got) => {
          for (; got.nextResult; got = await got.nextResult) onProgress(got.args[0]);
          return got.args[0];
        });
        return Object.assign(result, { cancel: () => connection.CancelCall(id, "kill") });
      },
      close: () => connection.Close(),
    };
  },
};

for (const [name, open] of Object.entries(clients))
  for (const [other, openOther] of Object.entries(clients))
    test(`${name} calls, ${other} is called`, { timeout: 20_000 }, async () => {
      const [one, two] = await Promise.all([open(), openOther()]);
      const own = `shop.${name}.${other}`;

      const news = [];
      await two.subscribe(`${own}.news`, (args) => news.push(args));
      await one.publish(`${own}.news`, ["tea", 1]);
      await until(() => news.length === 1, "the news is heard");
      assert.deepEqual(news, [["tea", 1]]);
      await failing(one.publish("eole.mine", []), "wamp.error.not_authorized");

      await two.register(`${own}.double`, ([number]) => {
        if (typeof number !== "number") throw new Failed("shop.error.nan", ["not a number"]);
        return 2 * number;
      });
      assert.equal(await one.call(`${own}.double`, [21]), 42);
      await failing(one.call(`${own}.double`, ["x"]), "shop.error.nan");
      await failing(one.call(`${own}.nothing`, []), "wamp.error.no_such_procedure");
      await failing(one.register(`${own}.double`, () => 1), "wamp.error.procedure_already_exists");

      const parts = [];
      await two.register(`${own}.count`, ([most], progress) => {
        for (let n = 1; n < most; ++n) progress(n);
        return most;
      });
      assert.equal(await one.call(`${own}.count`, [3], (part) => parts.push(part)), 3);
      assert.deepEqual(parts, [1, 2]);

      let asked = false;
      await two.register(`${own}.forever`, () => (asked = true, new Promise(() => {})));
      const forever = one.call(`${own}.forever`, []);
      forever.catch(() => {});
      await until(() => asked, "it runs");
      forever.cancel();
      await failing(forever, "wamp.error.canceled");
      assert.equal(await one.call(`${own}.double`, [4]), 8);  // Both are still there.

      const ends = [];
      await one.subscribe(`eole.${name}_${other}`, ([event]) => ends.push(event), "prefix");
      const id = await one.call("eole.submit", [{ kind: "echo", args: "hello", project: `${name}_${other}` }]);
      assert.equal((await one.call("eole.result", [id, "20s"])).value, "hello");
      await until(() => ends.length === 1, "its end is told");
      assert.deepEqual([ends[0].id, ends[0].state], [id, "done"]);
      await failing(one.call("eole.submit", [{ kind: 1 }]), "eole.error.refused");

      await two.close();
      await failing(one.call(`${own}.double`, [1]), "wamp.error.no_such_procedure");
      await one.close();
    });

test("a task calls what a client registered", async () => {
  const client = await clients.autobahn();
  await client.register("shop.task", ([number]) => number + 1);
  const [id] = await submit({ kind: "wamp", args: { procedure: "shop.task", args: [41] } });
  assert.equal((await client.call("eole.result", [id, "20s"])).value, 42);
  await client.close();
});

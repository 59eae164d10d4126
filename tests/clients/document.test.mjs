// The OpenAPI document as two linters and a validator see it, and the figures as a reader of them: all are content.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { get, page } from "./gateway.mjs";

const require = createRequire(import.meta.url);
const redocly = require("@redocly/openapi-core");
const parseFigures = require("parse-prometheus-text-format");
const { Spectral } = require("@stoplight/spectral-core");
const { oas } = require("@stoplight/spectral-rulesets");

test("redocly", async () => {
  const source = JSON.stringify(await get("/openapi.json"), null, 1);
  const config = await redocly.createConfig({
    extends: ["recommended"],
    rules: { "operation-4xx-response": "off", "security-defined": "off" },  // "default" is every refusal.
  });
  const problems = await redocly.lintFromString({ source, absoluteRef: "openapi.json", config });
  assert.deepEqual(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`), []);
});

test("spectral", async () => {
  const spectral = new Spectral();
  spectral.setRuleset({
    extends: [[oas, "recommended"]],
    rules: { "operation-description": "off", "operation-success-response": "off" },  // A summary; 101 is a success, too.
  });
  const problems = await spectral.run(await get("/openapi.json"));
  assert.deepEqual(problems.map(({ code, message, path }) => `${code}: ${message} (${path.join("/")})`), []);
});

test("openapi-schema-validator", async () => {
  const { valid, errors } = await new Validator().validate(await get("/openapi.json"));
  assert.ok(valid, JSON.stringify(errors));
});

test("parse-prometheus-text-format", async () => {
  const text = await (await fetch(`${page}/metrics`)).text();
  const figures = parseFigures(text);
  const told = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type.toUpperCase()}`);
  assert.deepEqual(figures.map(({ name, type }) => `${name} ${type}`).sort(), told.sort());
  assert.ok(figures.every(({ metrics }) => metrics.every(({ value }) => value === undefined || !Number.isNaN(Number(value)))));
});

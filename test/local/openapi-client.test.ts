import { execFile } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hasPython } from "../support/python.ts";
import { cleanUp, type Ready, spawnHost, temporaryFolder } from "./host-process.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const WORKER = ["--config", join(ROOT, "wrangler.toml"), "--no-postgres"];

afterAll(cleanUp);

let host: Ready;
beforeAll(async () => {
  host = await spawnHost({ EDGEVERSE_DATA: temporaryFolder() }, ["--json"], WORKER).ready();
});

/** A program of someone who knows a host by its OpenAPI document alone. What it prints is looked at below. */
const PROGRAM = `
import createClient from "openapi-fetch";
import type { components, paths } from "./host.ts";

const [, , baseUrl, token] = process.argv;
const client = createClient<paths>({ baseUrl: String(baseUrl), headers: { authorization: "Bearer " + token } });
const at = (id: string) => ({ params: { path: { id } } });
const print = (...values: unknown[]) => console.log(JSON.stringify(values));

const deposit = { request: { amount: 5 } };
const paid = await client.POST("/api/v1/objects/call/Wallet/{id}/deposit", {
  params: { path: { id: "ann/ö" }, header: { "Idempotency-Key": "k1", "Edgeverse-Timeout": 5000 } },
  body: deposit,
});
// The id had a slash, and the document says what may be answered then.
const code: components["schemas"]["Problem"]["code"] | undefined = paid.error?.code;
print(paid.response.status, code);

print((await client.POST("/api/v1/objects/call/Wallet/{id}/deposit", { ...at("ann ö"), body: deposit })).data);
print((await client.POST("/api/v1/objects/call/Wallet/{id}/getBalance", at("ann ö"))).data?.response);
const refused = await client.POST("/api/v1/objects/call/Wallet/{id}/withdraw", { ...at("ann ö"), body: { request: { amount: 9 } } });
print(refused.error?.code, refused.error?.reason, refused.data);

const pending = await client.POST("/api/v1/objects/call/Counter/{id}/add", {
  params: { path: { id: "c" }, header: { "Idempotency-Key": "k2", Prefer: "respond-async" } },
  body: { request: { by: 3 } },
});
print(pending.response.status, pending.response.headers.get("location"));
const batch = await client.POST("/api/v1/objects/batch", {
  body: { calls: [{ type: "Counter", id: "c", method: "add", request: { by: 1 }, callId: "k3" }] },
});
print(batch.data?.results.map((result) => ("response" in result ? result.response : result.error.code)));
const status = await client.GET("/api/v1/objects/calls/{type}/{id}/{callId}", {
  params: { path: { type: "Counter", id: "c", callId: "k3" } },
});
print(status.data?.status, status.data?.attempts);

const cluster = await client.GET("/admin/v1/cluster");
print(cluster.data?.types.map(({ type }) => type).sort());
const shard = await client.GET("/admin/v1/shards/{shard}", { params: { path: { shard: 3 } } });
print(shard.data?.shard);
const calls = await client.GET("/admin/v1/calls", { params: { query: { limit: 5, status: "failed" } } });
print(calls.data?.calls.map(({ callId, status }) => [callId, status]));
const stats = await client.GET("/admin/v1/calls/stats");
print(stats.data?.counts.map(({ type, status, count }) => [type, status, count]));
`;

/** Each line is a mistake; the directive above it is one itself if the line compiles. */
const MISTAKES = [
  'client.POST("/api/v1/objects/call/Wallet/{id}/deposit", { ...at("a"), body: { request: { amount: "5" } } });',
  'client.POST("/api/v1/objects/call/Wallet/{id}/deposit", at("a"));',
  'client.POST("/api/v1/objects/call/Wallet/{id}/deposit", { ...at("a"), body: {} });',
  'client.POST("/api/v1/objects/call/Wallet/{id}/getBalance", { ...at("a"), body: { request: { amount: 1 } } });',
  'client.POST("/api/v1/objects/call/Wallet/{id}/nothing", at("a"));',
  'client.GET("/admin/v1/calls", { params: { query: { limit: "5" } } });',
];

test("[HTTP10] a client generated from the document compiles, and calls a running host", {
  timeout: 120_000,
}, async () => {
  const folder = temporaryFolder();
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const document = await (await fetch(`${host.url}/api/v1/openapi.json`)).text();
  writeFileSync(join(folder, "host.ts"), await generate(document));
  const mistakes = MISTAKES.map((line) => `  // @ts-expect-error\n  void ${line}\n`).join("");
  writeFileSync(join(folder, "program.ts"), `${PROGRAM}\nexport function mistakes() {\n${mistakes}}\n`);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const settings = { extends: join(ROOT, "tsconfig.json"), compilerOptions: { types: ["node"] }, include: ["*.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));

  expect(await run([join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder])).toBe("");
  const lines = (await run([join(folder, "program.ts"), host.url, host.adminToken])).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    [400, "INVALID_ID"],
    [{ response: { balance: 5 } }],
    [{ balance: 5 }],
    ["CALL_FAILED", "INSUFFICIENT_FUNDS", null],
    [202, "/api/v1/objects/calls/Counter/c/k2"],
    [[{ value: 4 }]],
    ["success", 1],
    [expect.arrayContaining(["Counter", "EdgeverseProbe", "Order", "Wallet"])],
    [3],
    [[]],
    [[["Counter", "success", 2]]],
  ]);
});

/** The same in Python. */
const PYTHON = `
import json, sys
from edgeverse_client import Edgeverse, EdgeverseError, uuid7

host = Edgeverse(sys.argv[1])
show = lambda *values: print(json.dumps(values))

show(host.wallet("bob ö").deposit({"amount": 5}), host.wallet("bob ö").get_balance())
try:
    host.wallet("bob ö").withdraw({"amount": 9})
except EdgeverseError as error:
    show(error.code, error.reason, error.status, error.retryable)
try:
    host.wallet("bob/ö").get_balance()
except EdgeverseError as error:
    show(error.code, error.status)

call = uuid7()
first, again = [host.counter("p").add({"by": 2}, call_id=call) for _ in range(2)]
show(first, again, host.call_status("Counter", "p", call)["status"])
show(host.counter("p").add({"by": 1}, reliable=True))
`;

test.skipIf(!hasPython)("[HTTP10] the client for Python calls a running host", { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const made = await run([
    join(ROOT, "local/cli.ts"),
    "python",
    `${host.url}/`,
    "--out",
    join(folder, "edgeverse_client.py"),
  ]);
  expect(made).toBe("");
  writeFileSync(join(folder, "program.py"), PYTHON);
  const lines = (await run(["-W", "error", join(folder, "program.py"), host.url], "python3")).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    [{ balance: 5 }, { balance: 5 }],
    ["CALL_FAILED", "INSUFFICIENT_FUNDS", 422, false],
    ["INVALID_ID", 400],
    [{ value: 2 }, { value: 2 }, "success"],
    [{ value: 3 }],
  ]);
});

/** The document as TypeScript. The generator needs the compiler's API, which TypeScript 7 has no more; another package holds it. */
async function generate(document: string): Promise<string> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "typescript" && context.parentURL?.includes("/openapi-typescript/") === true
        ? next("@ts-morph/common/dist/typescript.js", context)
        : next(specifier, context),
  });
  try {
    const { default: openapiTS, astToString } = await import("openapi-typescript");
    return astToString(await openapiTS(document));
  } finally {
    hooks.deregister();
  }
}

/** What a program prints, complaints included. */
function run(parameters: readonly string[], program = process.execPath): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, parameters, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

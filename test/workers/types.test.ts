import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
const run = promisify(execFile);

// Inside the repository, so that packages are found; with a dot, so that nobody else's glob finds it.
const folder = mkdtempSync(join(HERE, ".types-"));
const app = join(folder, "app");
const tsc = join(ROOT, "node_modules/typescript/bin/tsc");

/** Authors see declarations, not sources: those compile under our settings alone. */
beforeAll(async () => {
  const declarations = ["--emitDeclarationOnly", "--sourceMap", "false", "--inlineSources", "false"];
  const outDir = join(folder, "dist");
  await run(process.execPath, [tsc, "-p", join(ROOT, "tsconfig.build.json"), ...declarations, "--outDir", outDir]);
  cpSync(join(HERE, "app"), app, { recursive: true });
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  await run(process.execPath, [wrangler, "types"], {
    cwd: app,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
  });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What tsc has to say about `files` under an author's settings. */
async function compile(
  name: string,
  files: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<string> {
  const compilerOptions = {
    target: "ES2024",
    lib: ["ES2024"],
    module: "ESNext",
    moduleResolution: "bundler",
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    ...options,
    paths: {
      edgeverse: [join(folder, "dist/src/index.d.ts")],
      "edgeverse/cloudflare": [join(folder, "dist/workers/cloudflare.d.ts")],
    },
  };
  const project = join(folder, `tsconfig.${name}.json`);
  writeFileSync(project, JSON.stringify({ compilerOptions, files }));
  return run(process.execPath, [tsc, "--pretty", "false", "-p", project]).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}

test("[HOST1] [HOST2] a hono app with the Env and the runtime types of `wrangler types` compiles without casts", async () => {
  const index = join(app, "index.ts");
  const source = readFileSync(index, "utf8");
  const generated = source
    .replace(/export interface Bindings extends Env \{[^}]*\}/, "export interface Bindings extends Cloudflare.Env {}")
    .replace('import type { Env } from "edgeverse/cloudflare";\n', "");
  expect(generated).toContain("extends Cloudflare.Env");
  expect(generated).not.toMatch(/\bas (?!const\b)|\bany\b|@ts-/);
  writeFileSync(index, generated);
  const object = join(app, "link.ts");
  writeFileSync(object, USES_ENV);
  const types = readFileSync(join(app, "worker-configuration.d.ts"), "utf8");
  expect(types).toContain('PARTITION: DurableObjectNamespace<import("./index").Partition>');
  expect(
    await compile("generated", [index, object, join(app, "worker-configuration.d.ts")], {
      types: [],
      skipLibCheck: true,
    }),
  ).toBe("");
});

test("[HOST2] bindings of any kind of namespace do; a class that is not served, or a wrong request, does not compile", async () => {
  mkdirSync(join(folder, "strict"));
  const index = join(folder, "strict/index.ts");
  writeFileSync(index, STRICT);
  const options = { types: ["@cloudflare/workers-types"], exactOptionalPropertyTypes: true, skipLibCheck: false };
  expect(await compile("strict", [index], options)).toBe("");
});

/** `this.env` is the Env whose bindings name the host's own classes. */
const USES_ENV = `
import { method, VirtualObject } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";

class Link extends VirtualObject {
  static override readonly type = "Link";
  static override readonly methods = { read: method({ readonly: true }) };
  async read() {
    return { url: await this.env.LINKS.get(this.id) };
  }
}

export const host = defineHost({ objects: [Link] });
export const urlOf = async (env: Cloudflare.Env): Promise<string | null> => (await host.object(env, Link, "a").read()).url;
`;

const STRICT = `
import { VirtualObject } from "edgeverse";
import { defineHost, type Env, type Host } from "edgeverse/cloudflare";
import { Hono } from "hono";
import { host, Tally } from "../app/host.ts";

// Classes of one's own can be named as types, as \`wrangler types\` names them.
export class Partition extends host.Partition {}
export class Coordinator extends host.Coordinator {}
export default host.worker;

interface Plain { PARTITION: DurableObjectNamespace; COORDINATOR: DurableObjectNamespace; DATABASE_URL: string }
interface Named { PARTITION: DurableObjectNamespace<Partition>; COORDINATOR: DurableObjectNamespace<Coordinator> }
interface Extended extends Env { LINKS: KVNamespace; DATABASE_URL: string | undefined }
declare const plain: Plain, named: Named, extended: Extended, ctx: ExecutionContext, request: Request;

export const apps = [
  new Hono<{ Bindings: Plain }>().use((c, next) => host.fetch(c.req.raw, c.env, c.executionCtx, next)),
  new Hono<{ Bindings: Named }>().use((c, next) => host.fetch(c.req.raw, c.env, c.executionCtx, next)),
  new Hono<{ Bindings: Extended }>().use((c, next) => host.fetch(c.req.raw, c.env, c.executionCtx, next)),
];
export const handlers = [
  { fetch: host.worker.fetch, scheduled: host.worker.scheduled } satisfies ExportedHandler<Plain>,
  { ...host.worker, queue: async () => {} } satisfies ExportedHandler<Named>,
  { fetch: (request, env, ctx) => host.fetch(request, env, ctx, () => new Response()) } satisfies ExportedHandler<Extended>,
];

export async function right(): Promise<void> {
  const answer: Response | undefined = await host.fetch(request, plain, ctx);
  const other: Response | number = await host.fetch(request, plain, ctx, async () => 5);
  const { value } = await host.object(plain, Tally, "a", { callId: "c", identity: { id: "s", roles: [] } }).add({ by: 1 });
  await host.object(named, Tally, "a", { traceparent: request.headers.get("traceparent") }).read();
  const created: boolean = await host.create(extended, Tally, "a", { start: 5 }, { timeout: 5 });
  await host.create(extended, Tally, "a");
  const any: Host = host;
  void [answer, other, value + 1, created, any];
}

class Unserved extends VirtualObject {
  static override readonly type = "Unserved";
}

export async function wrong(): Promise<void> {
  // @ts-expect-error may be undefined
  const answer: Response = await host.fetch(request, plain, ctx);
  // @ts-expect-error of another type
  await host.object(plain, Tally, "a").add({ by: "1" });
  // @ts-expect-error no such method
  await host.object(plain, Tally, "a").subtract({ by: 1 });
  // @ts-expect-error no such member
  void (await host.object(plain, Tally, "a").add({ by: 1 })).balance;
  // @ts-expect-error not served
  host.object(plain, Unserved, "a");
  // @ts-expect-error of another type
  await host.create(plain, Tally, "a", { start: "5" });
  // @ts-expect-error not served
  await host.create(plain, Unserved, "a");
  // @ts-expect-error no such option
  host.object(plain, Tally, "a", { callID: "c" });
  // @ts-expect-error without a binding
  host.object({ PARTITION: plain.PARTITION }, Tally, "a");
  // @ts-expect-error an identity has roles
  host.object(plain, Tally, "a", { identity: { id: "s" } });
  // @ts-expect-error no such option
  defineHost({ objects: [Tally], base: "/edge" });
  void answer;
}
`;

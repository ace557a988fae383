import * as z from "zod";
import { configSchema } from "../../src/config/config.ts";
import { ApiKeys } from "../../src/coordinator/api-keys.ts";
import { Coordinator } from "../../src/coordinator/coordinator.ts";
import { CODES, type ErrorCode } from "../../src/errors/codes.ts";
import { pathBelow } from "../../src/http/base-path.ts";
import { createHandler } from "../../src/http/handler.ts";
import { problemsOf } from "../../src/http/openapi/operation.ts";
import type { CoordinatorClient, HttpParts } from "../../src/http/ports.ts";
import { rawPath } from "../../src/http/request.ts";
import { httpRoutes } from "../../src/http/routes.ts";
import { problemSchema } from "../../src/http/schemas.ts";
import { method } from "../../src/object/method.ts";
import { Registry } from "../../src/object/registry.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import type { Maintenance } from "../../src/reliable/maintenance.ts";
import { LearnedMap } from "../../src/router/map-cache.ts";
import { Router } from "../../src/router/router.ts";
import { LiveSettings } from "../../src/settings/live-settings.ts";
import { ManualClock } from "../../src/testing/clocks.ts";
import { MemoryCallLog } from "../../src/testing/memory-call-log.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";
import { coordinatorPort } from "../support/coordinator-port.ts";
import { OPEN } from "../support/open-access.ts";
import { reconcileReport } from "../support/reconcile-report.ts";
import { FakePartition } from "./fake-partition.ts";

class Counter extends VirtualObject {
  static override readonly type = "Counter";
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number() }) }),
    get: method({ readonly: true }),
    slow: method({ timeout: "2m" }),
  };
  add() {}
  get() {}
  slow() {}
  secret() {}
}

class Patient extends VirtualObject {
  static override readonly type = "Patient";
  static override readonly timeout = "90s";
  static override readonly methods = { wait: method() };
  wait() {}
}

export const TOKEN = "s3cret-token";
export const BEARER = { authorization: `Bearer ${TOKEN}` };

export interface HttpFixture {
  readonly parts: HttpParts;
  readonly clock: ManualClock;
  readonly log: MemoryCallLog;
  readonly partitions: ReadonlyMap<string, FakePartition>;
  readonly errors: unknown[];
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** POSTs JSON (or a text, as it is). */
  readonly post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>;
  readonly admin: (path: string) => Promise<Response>;
}

/** The HTTP interface over the real router and partitions that only pretend. Every answer is checked against the documented schema. */
export function httpFixture(
  changes: Partial<HttpParts> & { config?: HttpParts["config"]; names?: string[]; shards?: number } = {},
): HttpFixture {
  const clock = new ManualClock();
  const names = changes.names ?? ["p0", "p1"];
  const partitions = new Map(names.map((name) => [name, new FakePartition(name)]));
  const genesis = { shards: changes.shards ?? 16, members: names.map((name) => ({ name, weight: 1 })) };
  const connect = (name: string) => {
    const known = partitions.get(name) ?? new FakePartition(name);
    partitions.set(name, known);
    return known;
  };
  const config = changes.config ?? configSchema.parse({ stableFor: "1ms" });
  const storage = new SqliteStorage();
  const coordinator = new Coordinator({
    storage,
    clock,
    connect,
    settings: new LiveSettings({ config }),
    warn: () => undefined,
  });
  coordinator.bootstrap(genesis);
  const live = new LiveSettings({ config, registry: new Registry([Counter, Patient], OPEN) });
  const { registry } = live;
  const errors: unknown[] = [];
  const log = new MemoryCallLog(clock);
  let ids = 0;
  const parts: HttpParts = {
    registry,
    basePath: "",
    config: live.config,
    settings: { live, follower: undefined },
    router: new Router({ registry, connect, cache: new LearnedMap(genesis, async () => coordinator.map()), clock }),
    connect,
    coordinator: coordinatorPort(coordinator, new ApiKeys(storage, clock)),
    log,
    maintenance: idleMaintenance,
    authenticate: undefined,
    gates: undefined,
    adminToken: TOKEN,
    clock,
    random: { uuid: () => `uuid-${++ids}` },
    onError: (error) => errors.push(error),
    ...changes,
  };
  const http = createHandler(parts);
  const check = checker(parts);
  const fetch = async (path: string, init?: RequestInit) => {
    const request = new Request(`http://host.test${path}`, init);
    const response = await http(request);
    // The path as the request has it: making one drops dot segments and what follows a "#".
    await check(rawPath(request.url), init?.method ?? "GET", response.clone());
    return response;
  };
  return {
    parts,
    clock,
    log,
    partitions,
    errors,
    fetch,
    post: (path, body, headers = {}) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return fetch(path, { method: "POST", headers, ...(text === undefined ? {} : { body: text }) });
    },
    admin: (path) => fetch(`/admin/v1/${path}`, { headers: BEARER }),
  };
}

/** A coordinator that never answers, but to what `answers` has. */
export function silentCoordinator(answers: Partial<CoordinatorClient> = {}): CoordinatorClient {
  const silent = () => new Promise<never>(() => {});
  return {
    status: silent,
    map: silent,
    execute: silent,
    auditCall: silent,
    view: silent,
    notes: silent,
    moves: silent,
    audit: silent,
    keys: { make: silent, revoke: silent, list: silent, find: silent },
    settings: silent,
    settingsVersions: silent,
    newerSettings: silent,
    ...answers,
  };
}

const idleMaintenance: Maintenance = {
  cleanUp: async ({ olderThan, dryRun }) => ({
    dryRun,
    before: 1_800_000_000_000 - (olderThan ?? 30 * 86_400_000),
    counts: { success: 1, failed: 2, expired: 3 },
    marks: 4,
    silent: [],
    complete: true,
  }),
  reconcile: async () => reconcileReport({ seen: 3, driven: 1, completed: 1, pending: 1 }),
};

/** Fails the test when an answer is not what the OpenAPI document says. */
export function checker(parts: HttpParts) {
  const routes = httpRoutes(parts).map(({ doc }) => ({
    doc,
    pattern: new RegExp(`^${doc.path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  }));
  return async (path: string, verb: string, response: Response) => {
    const text = await response.text();
    if (verb === "HEAD") return;
    const bare = pathBelow(parts.basePath, path) ?? "";
    const route = routes.find(({ doc, pattern }) => doc.method.toUpperCase() === verb && pattern.test(bare));
    if (response.headers.get("content-type") === "application/problem+json") {
      const problem = problemSchema.strict().parse(JSON.parse(text));
      if (problem.status !== response.status) throw new Error(`status ${problem.status} in ${response.status}`);
      if (problem.requestId !== response.headers.get("x-request-id")) throw new Error("another request id");
      const undocumented = route !== undefined && !problemsOf(route.doc).includes(problem.code);
      if (undocumented) throw new Error(`undocumented ${problem.code} of ${route.doc.id}`);
      return;
    }
    if (route === undefined) return;
    const answer = route.doc.answers[response.status];
    if (answer === undefined) throw new Error(`undocumented ${response.status}: ${text}`);
    if (answer.html === true && response.headers.get("content-type")?.startsWith("text/html")) return;
    answer.schema?.parse(answer.type === undefined ? JSON.parse(text) : text);
  };
}

/** The code of a problem; fails unless the answer is one, with the status of its code. */
export async function codeOf(response: Response): Promise<ErrorCode> {
  const problem = (await response.json()) as { code: ErrorCode; status: number };
  if (CODES[problem.code]?.status !== response.status || problem.status !== response.status) {
    throw new Error(`not a problem: ${response.status} ${JSON.stringify(problem)}`);
  }
  return problem.code;
}

/** Lets time pass until the answer is there: an admin's token is hashed outside the clock, so when timers start is not known. */
export async function patiently({ clock }: HttpFixture, answer: Promise<Response>): Promise<Response> {
  let waiting = true;
  const settled = answer.finally(() => {
    waiting = false;
  });
  while (waiting) {
    await clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return settled;
}

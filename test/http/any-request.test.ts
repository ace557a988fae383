import { method, VirtualObject } from "edgeverse";
import { jwt } from "edgeverse/jwt";
import { TestCluster } from "edgeverse/testing";
import { SignJWT } from "jose";
import { afterEach, expect, test } from "vitest";
import * as z from "zod";
import { CODES, isErrorCode } from "../../src/errors/codes.ts";
import { authentication } from "../../src/http/authentication.ts";
import { createHandler } from "../../src/http/handler.ts";
import { rawPath } from "../../src/http/request.ts";
import { httpRoutes } from "../../src/http/routes.ts";
import type { SqliteStorage } from "../../src/testing/sqlite-storage.ts";
import { partsOf } from "../access/http-of.ts";
import { checker } from "./http-fixture.ts";
import { type OddRequest, OddRequests, type Tokens } from "./odd-requests.ts";

const SEED = 20_261_122;
/** Requests of strangers, and of those who may do something. */
const STRANGERS = 6_000;
const KNOWN = 14_000;
/** Requests that are under way at the same time. */
const TOGETHER = 250;
const SECRET = "the tests sign with this secret, and with no other";

class Counter extends VirtualObject.withState(z.object({ count: z.number().default(0) })) {
  static override readonly type = "Counter";
  static override readonly access = { anonymous: true };
  static override readonly index = { count: (state: { count: number }) => state.count };
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number().max(1e9) }).optional() }),
    echo: method({ readonly: true, request: z.unknown() }),
    secret: method({ internal: true }),
  };

  add(request?: { by: number }) {
    this.state.count = (this.state.count + (request?.by ?? 1)) % 1e9;
    return this.state.count;
  }

  echo(request: unknown) {
    return request ?? null;
  }

  secret() {
    throw new Error("internal");
  }
}

/** Nobody may do anything with it. */
class Locked extends VirtualObject {
  static override readonly type = "Locked";
  static override readonly methods = { add: method() };

  add() {
    throw new Error("locked");
  }
}

const FITTING = {
  type: ["Counter", "Counter", "Counter", "Locked"],
  id: ["a", "b", "ann", "shard#3/x", "partition#p1/x", "ü/", "x".repeat(512), "x".repeat(513)],
  method: ["add", "add", "echo", "secret"],
  request: [{ by: 1 }, { by: "x" }, null, 1],
  callId: ["k1", "k2", "k3"],
  "idempotency-key": ["k1", "k2", '"k3"'],
  "edgeverse-timeout": ["1000", "50"],
  "edgeverse-expires-in": ["1000"],
  "edgeverse-log": ["write-ahead", "write-behind"],
  prefer: ["respond-async"],
  partition: ["p0", "p1", "p2"],
  gate: ["g0"],
  name: ["p2", "p3", "support"],
  shard: [0, 3, 7, 8],
  move: [1, 2, 3],
  count: [8, 16],
  index: ["count"],
  limit: [1, 10, 1_000, 1_001],
  version: [0, 1, 2],
  status: ["pending", "success", "failed"],
  topic: ["room/1"],
  client: ["c1"],
  olderThan: ["30d"],
  location: ["weur"],
  rate: [1, 1_000],
};

let cluster: TestCluster | undefined;
afterEach(() => cluster?.stop());

function setUp(objects: readonly (typeof Counter | typeof Locked)[]) {
  const made = new TestCluster({ objects, partitions: 2, config: { shards: 8 } });
  cluster = made;
  const { clock } = made;
  const patient = {
    now: () => clock.now(),
    after: () => () => undefined,
    soon: (action: () => void) => clock.soon(action),
  };
  const authenticators = [jwt({ issuer: "https://id.test", audience: "shop", secret: () => SECRET })];
  const faults: unknown[] = [];
  const changes = {
    authenticate: authentication(authenticators, {}, patient),
    viewerToken: "viewer-token",
    onError: (error: unknown) => faults.push(error),
  };
  const parts = partsOf(made, changes);
  const docs = httpRoutes(parts).map(({ doc }) => doc);
  return { made, http: createHandler(parts), faults, check: checker(parts), docs };
}

type Made = ReturnType<typeof setUp>;

/** Sends so many, and looks at each answer. Gives how often each status came. */
async function flood({ made, http, check, faults }: Made, requests: OddRequests, count: number) {
  const seen = new Map<number, number>();
  const send = async (odd: OddRequest) => {
    const { method: verb, path, headers, body } = odd;
    let request: Request;
    try {
      request = new Request(`http://host.test${path}`, {
        method: verb,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
        ...(body === undefined || verb === "GET" || verb === "HEAD" ? {} : { body }),
      });
    } catch {
      // No client of this kind could send it.
      return;
    }
    try {
      const response = await http(request);
      seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
      await check(rawPath(request.url), verb, response.clone());
      if (response.headers.get("content-type") === "application/problem+json" && verb !== "HEAD") {
        const { code } = (await response.json()) as { code: string };
        if (!isErrorCode(code) || CODES[code].status !== response.status)
          throw new Error(`${code} as ${response.status}`);
        if (response.status === 500) throw new Error(`a fault: ${code}`);
      }
      expect(faults.splice(0)).toEqual([]);
      expect(response.headers.get("x-request-id")).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    } catch (cause) {
      const text = body === undefined ? "" : Buffer.from(body).toString("latin1").slice(0, 1_000);
      throw new Error(`${verb} ${path.slice(0, 500)} ${JSON.stringify(headers).slice(0, 1_000)} ${text}`, { cause });
    }
  };
  for (let sent = 0; sent < count; sent += TOGETHER) {
    const all = Array.from({ length: Math.min(TOGETHER, count - sent) }, () => send(requests.next()));
    await made.clock.until(Promise.all(all));
  }
  return seen;
}

test(`[HTTP2] [ACC3] ${STRANGERS} requests of strangers: documented answers, and nothing is stored, claimed or begun`, {
  timeout: 120_000,
}, async () => {
  const made = setUp([Locked]);
  const nothing: Tokens = { admin: [], client: [] };
  const seen = await flood(
    made,
    new OddRequests(SEED, made.docs, { ...FITTING, type: ["Locked"] }, nothing),
    STRANGERS,
  );
  expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 400, 401, 403, 404, 405]));
  // That partitions belong to a cluster is all that strangers bring about: their calls are refused where they arrive.
  for (const [name, storage] of made.made.storages)
    expect([name, Object.keys(rowsOf(storage)).filter((table) => OF_WORK.has(table))]).toEqual([name, []]);
  expect(made.made.log.rows).toEqual([]);
  expect(made.made.thrown).toEqual([]);
});

test(`[HTTP2] [TURN8] ${KNOWN} requests of clients and operators: documented answers, and nothing of them stays in memory`, {
  timeout: 120_000,
}, async () => {
  const made = setUp([Counter, Locked]);
  const sign = (sub: string, roles: string[]) =>
    new SignJWT({ iss: "https://id.test", aud: "shop", sub, roles, exp: 9_999_999_999 })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(SECRET));
  const tokens = { admin: ["t", "t", "viewer-token"], client: [await sign("ann", []), await sign("root", ["admin"])] };
  const seen = await flood(made, new OddRequests(SEED, made.docs, FITTING, tokens), KNOWN);
  expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 201, 202, 400, 401, 403, 404, 405, 409, 413]));
  await made.made.clock.advance(11 * 60_000);
  for (const name of made.made.storages.keys()) {
    if (!name.startsWith("p") || !made.made.partition(name).bootstrapped) continue;
    const { engine, gate, memory } = await made.made.partition(name).core();
    expect([name, engine.waiting, gate.waiting, memory.held]).toEqual([name, 0, 0, 0]);
  }
  expect(made.made.thrown).toEqual([]);
  expect(({} as { polluted?: true }).polluted).toBeUndefined();
});

/** Tables of partitions, and of the coordinator, that have rows when somebody was let. */
const OF_WORK = new Set([
  "objects",
  "rows",
  "calls",
  "pending",
  "marks",
  "backlog",
  "shards",
  "outbox",
  "reminders",
  "events",
  "moves",
  "api_keys",
  "settings",
]);

/** The tables that have rows, and how many. */
function rowsOf(storage: SqliteStorage): Record<string, number> {
  const tables = storage.query<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
  const count = (name: string) =>
    storage.query<{ count: number }>(`SELECT count(*) AS count FROM "${name}"`)[0]?.count ?? 0;
  return Object.fromEntries(tables.map(({ name }) => [name, count(name)]).filter(([, rows]) => rows !== 0));
}

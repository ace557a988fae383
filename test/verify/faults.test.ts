import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder } from "../local/host-process.ts";
import { type Fault, startFaultyProxy } from "./faulty-proxy.ts";
import { reportOf, verify } from "./verify-process.ts";

const TOKEN = "very-secret-token";
let url: string;

beforeAll(async () => {
  const env = { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_ADMIN_TOKEN: TOKEN, EDGEVERSE_PARTITIONS: "2" };
  ({ url } = await spawnHost(env, ["--json"], ["--config", resolve("wrangler.toml"), "--no-postgres"]).ready());
}, 120_000);
afterAll(cleanUp);

const isCall = (path: string) => path.startsWith("/api/v1/objects/call/");
const fake = (body: unknown, status = 200) => Response.json(body, { status });

/** The answer with other headers or another body. */
async function changed(answer: Response, header: string, value?: string): Promise<Response> {
  const headers = new Headers(answer.headers);
  if (value === undefined) headers.delete(header);
  else headers.set(header, value);
  return new Response(await answer.arrayBuffer(), { status: answer.status, headers });
}

let calls = 0;

const FAULTS: readonly [what: string, rule: string, fault: Fault][] = [
  [
    "sends each plain call twice",
    "TURN1",
    async (request, forward) => {
      if (isCall(request.path) && !request.headers.has("idempotency-key")) await forward(request);
      return forward(request);
    },
  ],
  [
    "drops the Idempotency-Key",
    "CALL1",
    (request, forward) => {
      request.headers.delete("idempotency-key");
      return forward(request);
    },
  ],
  [
    "lets everybody into the admin API",
    "ACC3",
    (request, forward) => {
      request.headers.set("authorization", `Bearer ${TOKEN}`);
      return forward(request);
    },
  ],
  [
    "answers a batch backwards",
    "HTTP7",
    async (request, forward) => {
      const answer = await forward(request);
      if (!request.path.endsWith("/batch") || answer.status !== 200) return answer;
      const { results } = (await answer.json()) as { results: unknown[] };
      return fake({ results: results.reverse() });
    },
  ],
  ["forgets X-Request-Id", "HTTP3", async (request, forward) => changed(await forward(request), "x-request-id")],
  [
    "answers problems as plain JSON",
    "HTTP2",
    async (request, forward) => changed(await forward(request), "content-type", "application/json"),
  ],
  ["forgets Location", "HTTP8", async (request, forward) => changed(await forward(request), "location")],
  [
    "deletes nothing",
    "LIFE3",
    async (request, forward) =>
      request.path.startsWith("/api/v1/objects/delete/") ? fake({ success: true }) : forward(request),
  ],
  [
    "unpins nothing",
    "PLAN2",
    async (request, forward) => (request.path.endsWith("/unpin") ? fake({}) : forward(request)),
  ],
  [
    "refuses a call now and then while shards move",
    "MIG1",
    async (request, forward) => {
      const fails = isCall(request.path) && ++calls % 10 === 0;
      return fails ? fake({ code: "UNAVAILABLE" }, 503) : forward(request);
    },
  ],
  [
    "says nothing of a deadline",
    "TURN6",
    (request, forward) => {
      request.headers.delete("edgeverse-timeout");
      return forward(request);
    },
  ],
  [
    "hashes ids otherwise",
    "ID2",
    async (request, forward) => {
      const answer = await forward(request);
      if (!request.path.startsWith("/admin/v1/objects/")) return answer;
      return fake({ ...((await answer.json()) as object), hash: "00000000", shard: 0 });
    },
  ],
];

test.each(FAULTS)("a deployment that %s fails [%s]", { timeout: 120_000 }, async (_, rule, fault) => {
  const proxy = await startFaultyProxy(url, fault);
  try {
    const verified = await verify([proxy.url, "--only", rule, "--json"], { EDGEVERSE_ADMIN_TOKEN: TOKEN });
    expect(reportOf(verified).rules).toEqual({ [rule]: "fail" });
    expect(verified.code).toBe(1);
    expect(verified.stdout + verified.stderr).not.toContain(TOKEN);
  } finally {
    await proxy.stop();
  }
});

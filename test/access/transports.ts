import type { CallRecord } from "../../src/reliable/call-record.ts";
import { settle } from "../../src/testing/clocks.ts";
import { type Method, PEOPLE, type Person } from "./access-table.ts";
import { outcome, Thief, Vault, type vaults } from "./vault-fixture.ts";

type Parts = ReturnType<typeof vaults>;
type Methods = Record<string, (request?: unknown) => Promise<unknown>>;

/** How a client calls: each way is one function, which gives "ran" or the code of the refusal. */
export const CLIENTS: Readonly<
  Record<string, (parts: Parts, person: Person, method: Method, id: string) => Promise<unknown>>
> = {
  "over HTTP": async ({ post }, person, method, id) => {
    const { body } = await post(`/api/v1/objects/call/Vault/${id}/${method}`, person);
    return body.response ?? body.code;
  },
  "over HTTP, reliably": async ({ post }, person, method, id) => {
    const key = { "idempotency-key": `${person}-${method}` };
    const { body } = await post(`/api/v1/objects/call/Vault/${id}/${method}`, person, {}, key);
    return body.response ?? body.code;
  },
  "over HTTP, without waiting": async ({ post, cluster }, person, method, id) => {
    const headers = { "idempotency-key": `${person}-${method}-later`, prefer: "respond-async" };
    const { status, body } = await post(`/api/v1/objects/call/Vault/${id}/${method}`, person, {}, headers);
    await cluster.clock.advance(10);
    return status === 202 ? "ran" : body.code;
  },
  "over HTTP, with a JSON Web Token": ({ call, tokenOf }, person, method, id) => call(id, method, tokenOf(person)),
  "over HTTP, with an API key": async ({ call, keyOf }, person, method, id) => call(id, method, await keyOf(person)),
  "over a connection": async (parts, person, method, id) => {
    const { cluster, gate } = parts;
    const { client } = await gate.connect({}, PEOPLE[person]);
    const told = await client.say({ kind: "call", id: 1, type: "Vault", object: id, method });
    await gate.clock.advance(1);
    await cluster.clock.advance(5);
    await settle();
    const [result] = [...told, ...client.wire.take()] as { response?: unknown; error?: { code: string } }[];
    return result?.response ?? result?.error?.code;
  },
  "in a batch": async ({ post }, person, method, id) => {
    const { body } = await post("/api/v1/objects/batch", person, { calls: [{ type: "Vault", id, method }] });
    const [result] = body.results ?? [];
    return result?.response ?? result?.error?.code ?? body.code;
  },
  "in a batch, reliably": async ({ post }, person, method, id) => {
    const calls = [{ type: "Vault", id, method, callId: `${person}-${method}-batch` }];
    const { body } = await post("/api/v1/objects/batch", person, { calls });
    const [result] = body.results ?? [];
    return result?.response ?? result?.error?.code ?? body.code;
  },
  "through the Worker's own code": ({ cluster }, person, method, id) => {
    const identity = PEOPLE[person] ?? null;
    return outcome((cluster.object(Vault, id, { identity }) as unknown as Methods)[method]?.() as Promise<unknown>);
  },
  "by a row of the log that says who made it": async (parts, person, method, id) => {
    const identity = PEOPLE[person] ?? undefined;
    return byRow(parts, method, id, { kind: "client", ...(identity === undefined ? {} : { identity }) });
  },
};

/** How an object calls, or the Worker's own code for itself. The objects act for somebody who may do nothing. */
export const INNER: Readonly<Record<string, (parts: Parts, method: Method, id: string) => Promise<unknown>>> = {
  "the Worker's own code": ({ cluster }, method, id) =>
    outcome((cluster.object(Vault, id) as unknown as Methods)[method]?.() as Promise<unknown>),
  "an object beside it": (parts, method, id) => thief(parts, "near", "ask", method, id),
  "an object on another partition": (parts, method, id) => thief(parts, "far", "ask", method, id),
  "an object beside it, reliably": (parts, method, id) => thief(parts, "near", "askReliably", method, id),
  "an object on another partition, reliably": (parts, method, id) => thief(parts, "far", "askReliably", method, id),
  "a transaction": (parts, method, id) => thief(parts, "shard", "take", method, id),
  "the outbox of an object beside it": (parts, method, id) => thief(parts, "near", "send", method, id),
  "the outbox of an object elsewhere": (parts, method, id) => thief(parts, "far", "send", method, id),
  "a reminder of its own": async ({ cluster }, method, id) => {
    const set = await outcome(cluster.object(Vault, id, { identity: null }).remindMe({ method }));
    await cluster.clock.advance(3_000);
    return set;
  },
  "a row of the log": (parts, method, id) => byRow(parts, method, id, null),
};

async function thief(
  parts: Parts,
  where: string,
  way: keyof (typeof Thief)["methods"],
  method: Method,
  id: string,
): Promise<unknown> {
  const { cluster } = parts;
  const home = cluster.ownerOf(Vault, id);
  const names = Array.from({ length: 60 }, (_, index) => `t${index}`);
  const near = names.find((name) => cluster.ownerOf(Thief, name) === home) as string;
  const far = names.find((name) => cluster.ownerOf(Thief, name) !== home) as string;
  const from = where === "shard" ? id.replace(/[^/]*$/, "thief") : where === "near" ? near : far;
  const answer = await outcome(
    cluster.object(Thief, from, { identity: { id: "nobody", roles: [] } })[way]({ to: id, method }),
  );
  await cluster.clock.advance(3_000);
  return answer;
}

async function byRow({ cluster, maintenance }: Parts, method: Method, id: string, caller: object | null) {
  const callId = `row-${JSON.stringify(caller)}-${method}`.replaceAll(/[^\w-]/g, "");
  const row: CallRecord = {
    callId,
    type: "Vault",
    id,
    shard: 0,
    method,
    request: null,
    requestHash: "",
    status: "pending",
    response: null,
    error: null,
    caller: caller === null ? null : JSON.stringify(caller),
    traceId: null,
    attempts: 1,
    epoch: 0,
    acceptedAt: 0,
    finishedAt: null,
    expiresAt: null,
  };
  await cluster.log.write([row]);
  await cluster.clock.until(maintenance.reconcile());
  await cluster.clock.advance(2_000);
  const ended = await cluster.log.find("Vault", id, callId);
  return ended?.status === "success" ? "ran" : ended?.error?.code;
}

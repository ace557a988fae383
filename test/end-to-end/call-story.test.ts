import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder } from "../local/host-process.ts";

const TOKEN = "t".repeat(32);

afterAll(cleanUp);

interface Story {
  readonly call: { readonly status: string };
  readonly timeline: readonly { readonly what: string }[];
  readonly causedBy: readonly { readonly callId: string }[];
  readonly causes: readonly {
    readonly id: string;
    readonly callId: string;
    readonly method: string;
    readonly status: string;
  }[];
  readonly complete: boolean;
}

test.each([
  ["local", ["--no-postgres"], ["accepted", "success"]],
  ["in Postgres", [], ["accepted", "success", "logged"]],
])(
  "[CALL16] [CALL17] the host tells the story of a transfer, and counts it; log %s",
  {
    timeout: 180_000,
  },
  async (_name, flags, moments) => {
    const env = { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_ADMIN_TOKEN: TOKEN };
    const host = spawnHost({ ...env, EDGEVERSE_PARTITIONS: "2", EDGEVERSE_SHARDS: "64" }, ["--json", ...flags], []);
    const { url } = await host.ready();
    const call = async (id: string, method: string, request: object, key: string) => {
      const headers = { "idempotency-key": key };
      const body = JSON.stringify({ request });
      const answer = await fetch(`${url}/api/v1/objects/call/Wallet/${id}/${method}`, {
        method: "POST",
        headers,
        body,
      });
      expect(answer.status).toBe(200);
    };
    const admin = async <Body>(path: string): Promise<Body> => {
      const answer = await fetch(`${url}/admin/v1/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
      return (await answer.json()) as Body;
    };
    await call("ann", "deposit", { amount: 100 }, "first");
    await call("ann", "transfer", { to: "bob", amount: 10 }, "t-1");
    await call("ann", "transfer", { to: "bob", amount: 10 }, "t-1");
    let story = await admin<Story>("calls/Wallet/ann/t-1");
    // Postgres may still be starting.
    const told = () => story.timeline?.length === moments.length && story.causes?.[0]?.status === "success";
    for (let tries = 0; tries < 200 && !told(); tries++) {
      await sleep(300);
      story = await admin<Story>("calls/Wallet/ann/t-1");
    }
    expect(story).toMatchObject({ call: { status: "success" }, causedBy: [], complete: true });
    expect(story.timeline.map(({ what }) => what)).toEqual(moments);
    expect(story.causes).toMatchObject([{ id: "bob", method: "deposit", status: "success" }]);
    const [deposit] = story.causes;
    const back = await admin<Story>(`calls/Wallet/bob/${deposit?.callId}`);
    expect(back.causedBy).toMatchObject([{ type: "Wallet", id: "ann", callId: "t-1", method: "transfer" }]);
    const { total } = await admin<{ total: { since: object } }>("calls/counters");
    expect(total.since).toMatchObject({ success: 3, failed: 0, replayed: 1 });
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
  },
);

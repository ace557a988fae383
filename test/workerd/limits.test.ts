import { env } from "cloudflare:test";
import { defineHost } from "edgeverse/cloudflare";
import { describe, expect, test, vi } from "vitest";
import { Counter } from "../../examples/counter.ts";

/** A router of its own: another isolate, to the partitions. */
const router = () =>
  defineHost({
    objects: [Counter],
    access: [{ type: "*", access: "ALLOW", anonymous: true }],
    limits: { clients: { per: "client", rate: 0.01, burst: 20 } },
  });
const context = { waitUntil: () => undefined };

describe("in workerd", () => {
  test("[LIM4] routers hear through the client's keeper what it has used at others", async () => {
    const [one, other] = [router(), router()];
    const call = async (host: ReturnType<typeof router>, address: string) => {
      const path = "http://host/api/v1/objects/call/Counter/limited/get";
      const init = { method: "POST", headers: { "cf-connecting-ip": address } };
      const answer = await host.fetch(new Request(path, init), env, context);
      return { status: answer?.status, left: answer?.headers.get("ratelimit") };
    };
    for (let left = 19; left >= 0; left--)
      expect(await call(one, "192.0.2.1")).toEqual({ status: 200, left: expect.stringContaining(`;r=${left};`) });
    expect(await call(one, "192.0.2.1")).toMatchObject({ status: 429 });
    // The other router knows nothing yet: it asks when it is asked.
    expect(await call(other, "192.0.2.1")).toMatchObject({ status: 200 });
    await vi.waitFor(async () => expect(await call(other, "192.0.2.1")).toMatchObject({ status: 429 }), {
      timeout: 5_000,
      interval: 1_200,
    });
    expect(await call(other, "192.0.2.2")).toMatchObject({ status: 200 });
  });
});

import { describe, expect, it } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { Registry } from "../../src/object/registry.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { UNUSED_GATE } from "../../src/push/gate-status.ts";
import type { StreamRequest } from "../../src/push/open-stream.ts";
import { PushRules } from "../../src/push/push-rules.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

class Board extends VirtualObject {
  static override readonly type = "Board";
  static override readonly live = { owner: true };
}

interface Asked extends StreamRequest {
  readonly gate: string;
  readonly identity: string | undefined;
}

/** What a request for a stream asks a gate. */
function fixture(answer: () => Promise<Response> = async () => new Response("data: 1\n\n")) {
  const asked: Asked[] = [];
  const http = httpFixture({
    registry: new Registry([Board]),
    gates: {
      names: ["g0", "g1"],
      rules: new PushRules({
        topics: { "room/*": { anonymous: true }, "user/*": { owner: true }, "staff/**": { roles: ["staff"] } },
        origins: ["https://friend.example"],
      }),
      open: () => Promise.reject(new Error("not asked")),
      status: async () => UNUSED_GATE,
      stream(gate, identity, wanted) {
        const { origin: _, ...rest } = wanted;
        asked.push({ gate, identity: identity?.id, ...rest });
        return answer();
      },
    },
    authenticate: async (request) => {
      const bearer = request.headers.get("authorization")?.slice("Bearer ".length);
      const id = bearer ?? /user=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
      return id === undefined ? null : { id, roles: [] };
    },
  });
  const open = (query = "", headers: Record<string, string> = {}, method = "GET") =>
    http.fetch(`/api/v1/events/stream${query}`, { headers, method });
  return { http, open, asked, code: async (...what: Parameters<typeof open>) => codeOf(await open(...what)) };
}

const CLIENT = `g1.${"a".repeat(32)}`;
const TOKEN = `${CLIENT}.${"b".repeat(64)}`;

describe("GET /api/v1/events/stream", () => {
  it("[PUSH12] answers with what the gate gives, as a stream that proxies pass on", async () => {
    const { open, asked } = fixture();
    const answer = await open("?topics=room/1&topics=room/*&topics=room/1&watch=Board/ann", { cookie: "user=ann" });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("data: 1\n\n");
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.any(String),
      "x-request-id": expect.any(String),
    });
    expect(asked).toEqual([
      {
        gate: expect.stringMatching(/^g[01]$/),
        identity: "ann",
        topics: ["room/1", "room/*"],
        watch: [{ type: "Board", object: "ann" }],
      },
    ]);
  });

  it("[PUSH12] goes on where the last id says, at its gate; what is no id says nothing", async () => {
    const { open, asked } = fixture();
    await open("", { "last-event-id": `${TOKEN}.17` });
    expect(asked[0]).toMatchObject({ gate: "g1", session: TOKEN, seen: 17 });
    for (const id of [TOKEN, `${TOKEN}.`, `${CLIENT}.17`, "17", `${TOKEN}.1e3`, "x".repeat(5_000)]) {
      expect((await open("", { "last-event-id": id })).status).toBe(200);
      expect(asked.at(-1)?.session).toBeUndefined();
    }
  });

  it("[PUSH12] tells a client whose session is another's not to come back", async () => {
    const { open, asked } = fixture();
    const answer = await open("", { "last-event-id": "end" });
    expect([answer.status, answer.headers.has("x-request-id"), asked.length]).toEqual([204, true, 0]);
  });

  it("[PUSH12] refuses by a status what may not be listened to or watched, and asks no gate", async () => {
    const { code, asked } = fixture();
    const ann = { authorization: "Bearer ann" };
    const refused: [query: string, headers: Record<string, string>, code: string][] = [
      ["?topics=room/1&topics=user/ann", {}, "ACCESS_DENIED"],
      ["?topics=user/bo", ann, "ACCESS_DENIED"],
      ["?topics=staff/**", ann, "ACCESS_DENIED"],
      ["?topics=**", ann, "ACCESS_DENIED"],
      ["?topics=room//1", ann, "INVALID_ARGUMENT"],
      ["?topics=", ann, "INVALID_ARGUMENT"],
      ["?topic=room/1", ann, "INVALID_ARGUMENT"],
      ["?watch=Board", ann, "INVALID_ARGUMENT"],
      ["?watch=Board/bo", ann, "ACCESS_DENIED"],
      ["?watch=Board/bo", {}, "UNAUTHENTICATED"],
      ["?watch=Nothing/bo", ann, "TYPE_NOT_FOUND"],
      ["?watch=Board/", ann, "INVALID_ID"],
      [`?${Array.from({ length: 101 }, (_, index) => `topics=room/${index}`).join("&")}`, ann, "PAYLOAD_TOO_LARGE"],
    ];
    for (const [query, headers, expected] of refused) expect(await code(query, headers), query).toBe(expected);
    expect(asked).toEqual([]);
  });

  it("[PUSH12] pages of other sites may not listen with a visitor's cookies unless they are named", async () => {
    const { open, code } = fixture();
    expect(await code("", { origin: "https://evil.example" })).toBe("ACCESS_DENIED");
    // An image, a link, a frame: browsers say no origin then.
    expect(await code("", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" })).toBe("ACCESS_DENIED");
    expect(await code("", { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" })).toBe("ACCESS_DENIED");
    for (const headers of [
      { origin: "https://friend.example", "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
    ] as Record<string, string>[])
      expect((await open("", headers)).status).toBe(200);
  });

  it("[PUSH12] opens nothing for HEAD, takes no other method, and is not there without gates", async () => {
    const { open, asked } = fixture();
    const head = await open("?topics=room/1", {}, "HEAD");
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([200, "text/event-stream", ""]);
    const post = await open("", {}, "POST");
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(asked).toEqual([]);
    expect(await codeOf(await httpFixture().fetch("/api/v1/events/stream"))).toBe("NOT_FOUND");
  });

  it("[PUSH12] says why a gate can't", async () => {
    const full = fixture(async () => {
      throw new EdgeverseError("OVERLOADED", "full");
    });
    expect(await full.code()).toBe("OVERLOADED");
    const lost = fixture(async () => {
      throw new Error("the object was reset");
    });
    expect(await lost.code()).toBe("UNAVAILABLE");
  });

  it("[PUSH12] has a client that comes back come again later, which no status would", async () => {
    const full = fixture(async () => {
      throw new EdgeverseError("OVERLOADED", "full", { retryAfter: 30 });
    });
    const back = { "last-event-id": `${TOKEN}.17` };
    const answer = await full.open("", back);
    expect([answer.status, await answer.text()]).toEqual([
      200,
      'retry: 30000\ndata: {"kind":"end","code":1013,"reason":"full"}\n\n',
    ]);
    expect(await full.code("?topics=user/ann", back)).toBe("ACCESS_DENIED");
  });
});

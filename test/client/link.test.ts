import { type Client, type ClientError, type ClientOptions, createClient } from "edgeverse/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeSocket } from "./fake-gate.ts";

let statuses: string[];
beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.install();
  statuses = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const tick = () => vi.advanceTimersByTimeAsync(1);
/** Enough for the next attempt to connect. */
const pause = () => vi.advanceTimersByTimeAsync(1_000);
const make = (more: ClientOptions = {}): Client =>
  createClient({ url: "https://host", onStatus: (status) => statuses.push(status), ...more });

/** A client that listens to one topic, over an open connection. */
async function listening(more: ClientOptions = {}) {
  const heard: unknown[] = [];
  const onGap = vi.fn();
  const onError = vi.fn<(error: ClientError) => void>();
  const client = make(more);
  const stop = client.subscribe("room/*", (data, topic) => heard.push([topic, data]), { onGap, onError });
  await tick();
  FakeSocket.last.welcome();
  return { client, heard, onGap, onError, stop };
}
const message = (n: number) => ({ kind: "message", n, topic: "room/a", data: n });

describe("[CLIENT6] a connection", () => {
  test("is opened when something needs it, with the token among its protocols", async () => {
    const client = make({ token: () => "abc" });
    await tick();
    expect([FakeSocket.all, client.status]).toEqual([[], "closed"]);
    client.subscribe("room/a", () => {});
    await tick();
    const { url, protocols } = FakeSocket.last;
    expect([url, protocols]).toEqual(["wss://host/api/v1/events/socket", ["edgeverse.v1", "bearer.abc"]]);
    FakeSocket.last.welcome();
    expect(FakeSocket.last.frames).toEqual([{ kind: "hello", topics: ["room/a"] }]);
    expect([client.status, client.clientId, statuses]).toEqual(["open", "c1", ["connecting", "open"]]);
  });

  test("acknowledges once for many messages, and takes none twice", async () => {
    const { heard } = await listening();
    FakeSocket.last.say(message(3), message(5), message(5), message(4));
    await tick();
    expect(heard).toEqual([
      ["room/a", 3],
      ["room/a", 5],
    ]);
    expect(FakeSocket.last.sent("ack")).toEqual([]);
    await vi.advanceTimersByTimeAsync(50);
    expect(FakeSocket.last.sent("ack")).toEqual([{ kind: "ack", seen: 5 }]);
    FakeSocket.last.say(...Array.from({ length: 150 }, (_, index) => message(index + 6)));
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.last.sent("ack").slice(1)).toEqual([{ kind: "ack", seen: 105 }]);
    await vi.advanceTimersByTimeAsync(50);
    expect(FakeSocket.last.sent("ack").slice(2)).toEqual([{ kind: "ack", seen: 155 }]);
  });

  test("that breaks comes back to its gate with its session, and tells of no gap", async () => {
    const { heard, onGap } = await listening();
    FakeSocket.last.say(message(3));
    FakeSocket.last.end(1006);
    await pause();
    expect(FakeSocket.last.url).toBe("wss://host/api/v1/events/socket?client=c1");
    FakeSocket.last.welcome({ resumed: true, seen: 3, topics: ["room/*", "room/old"] });
    expect(FakeSocket.last.frames[0]).toMatchObject({ kind: "hello", session: "c1.secret", seen: 3 });
    FakeSocket.last.say(message(3), message(6));
    await tick();
    expect(heard).toHaveLength(2);
    expect(onGap).not.toHaveBeenCalled();
    expect(FakeSocket.last.sent("unsubscribe")).toEqual([{ kind: "unsubscribe", topic: "room/old" }]);
    expect(statuses).toEqual(["connecting", "open", "connecting", "open"]);
  });

  test("that gets a new session tells of a gap, and takes its numbers anew", async () => {
    const { heard, onGap } = await listening();
    FakeSocket.last.say(message(30));
    FakeSocket.last.end(1012);
    await pause();
    FakeSocket.last.welcome({ client: "c2", session: "c2.other" });
    expect(onGap).toHaveBeenCalledTimes(1);
    FakeSocket.last.say(message(1), { kind: "gap", n: 2 });
    expect([heard.length, onGap.mock.calls.length]).toEqual([2, 2]);
  });

  test("is dead when a ping has no answer, and its late words count for nothing", async () => {
    const { heard } = await listening();
    const first = FakeSocket.last;
    await vi.advanceTimersByTimeAsync(30_000);
    first.pong();
    await vi.advanceTimersByTimeAsync(30_000 + 11_000);
    expect([first.pings, first.closed, FakeSocket.all.length]).toEqual([2, true, 2]);
    FakeSocket.last.welcome({ resumed: true });
    first.say(message(9));
    first.end(1000);
    expect([heard, statuses.at(-1)]).toEqual([[], "open"]);
  });

  test("that can't be made is tried again, later and later, and at once when the network is back", async () => {
    const online = new EventTarget();
    vi.stubGlobal("addEventListener", online.addEventListener.bind(online));
    vi.stubGlobal("removeEventListener", online.removeEventListener.bind(online));
    vi.spyOn(Math, "random").mockReturnValue(1);
    make().connect();
    await tick();
    const times: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      const begun = Date.now();
      const count = FakeSocket.all.length;
      FakeSocket.last.end(1006);
      while (FakeSocket.all.length === count) await vi.advanceTimersByTimeAsync(100);
      times.push(Date.now() - begun);
    }
    expect(times).toEqual([800, 1_600, 3_200, 6_400, 12_800, 15_000]);
    FakeSocket.last.end(1006);
    online.dispatchEvent(new Event("online"));
    await tick();
    expect(FakeSocket.all).toHaveLength(8);
    vi.restoreAllMocks();
  });

  test("that is refused for good is not tried again: who listens is told why", async () => {
    const { onError } = await listening();
    FakeSocket.last.say({ kind: "error", error: { code: "INVALID_ARGUMENT", message: "no", retryable: false } });
    FakeSocket.last.end(1008);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([FakeSocket.all.length, statuses.at(-1)]).toEqual([1, "closed"]);
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("[PUSH10] whose fresh token nobody could judge sends it again, and stays", async () => {
    const life = (seconds: number) => {
      const now = Math.floor(Date.now() / 1_000);
      return `h.${btoa(JSON.stringify({ iat: now, exp: now + seconds }))}.s`;
    };
    await listening({ token: () => life(40) });
    await vi.advanceTimersByTimeAsync(21_000);
    const [sent] = FakeSocket.last.sent("token");
    const error = { code: "UNAVAILABLE", message: "no keys", retryable: true, retryAfter: 1 };
    FakeSocket.last.say({ kind: "renewed", error });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(FakeSocket.last.sent("token")).toEqual([sent, sent]);
    FakeSocket.last.say({ kind: "renewed" });
    expect([FakeSocket.all.length, statuses.at(-1)]).toEqual([1, "open"]);
  });

  test("leaves when it is closed, and a new one has a new session", async () => {
    const { client, onError } = await listening();
    client.close();
    expect([FakeSocket.last.sent("leave").length, FakeSocket.last.closed, client.status]).toEqual([1, true, "closed"]);
    // Whoever closes it knows.
    expect(onError).not.toHaveBeenCalled();
    client.connect();
    await tick();
    FakeSocket.last.welcome({ client: "c3" });
    expect([FakeSocket.last.url, FakeSocket.last.frames[0]]).toEqual([
      "wss://host/api/v1/events/socket",
      { kind: "hello", topics: [] },
    ]);
  });
});

describe("[CLIENT6] topics", () => {
  test("a message goes to all whose pattern has its topic; what one throws stops no other", async () => {
    const { client, heard } = await listening();
    const all: unknown[] = [];
    client.subscribe("room/a", () => {
      throw new Error("mine");
    });
    client.subscribe("**", (data) => all.push(data));
    client.subscribe("room/b", () => all.push("wrong"));
    const direct: unknown[] = [];
    client.onMessage((data) => direct.push(data));
    FakeSocket.last.say(message(1), { kind: "message", n: 2, data: "you" });
    expect([heard.length, all, direct]).toEqual([1, [1], ["you"]]);
    // It is thrown where nobody catches it: in a timer.
    await expect(tick()).rejects.toThrow("mine");
  });

  test("is asked for once, and let go when nobody listens any more", async () => {
    const { client, stop } = await listening();
    const again = client.subscribe("room/*", () => {});
    const other = client.subscribe("staff", () => {});
    stop();
    await tick();
    expect(FakeSocket.last.sent("subscribe")).toEqual([{ kind: "subscribe", topic: "staff" }]);
    again();
    other();
    other();
    await tick();
    expect(FakeSocket.last.sent("unsubscribe").map(({ topic }) => topic)).toEqual(["room/*", "staff"]);
    // Frames of one tick are one message.
    expect(FakeSocket.last.messages.at(-1)).toHaveLength(2);
  });

  test("one that is refused ends alone, with its error", async () => {
    const { client, onError, heard } = await listening();
    const refused = vi.fn();
    client.subscribe("staff", () => {}, { onError: refused });
    const error = { code: "ACCESS_DENIED", message: "no", retryable: false };
    FakeSocket.last.say({ kind: "error", topic: "staff", error }, message(1));
    expect([refused.mock.calls[0]?.[0].code, onError.mock.calls, heard.length]).toEqual(["ACCESS_DENIED", [], 1]);
  });

  test("presence is asked for, and asked for again after a new connection", async () => {
    const client = make();
    client.subscribe("room/a", () => {}, { onPresence: () => {} });
    await tick();
    FakeSocket.last.welcome();
    await tick();
    expect(FakeSocket.last.frames).toEqual([
      { kind: "hello", topics: [] },
      { kind: "subscribe", topic: "room/a", presence: true },
    ]);
  });

  test("[PUSH13] who is there is told as a list, with who has come and gone, also after a new connection", async () => {
    const client = make();
    const onPresence = vi.fn();
    const stop = client.subscribe("room/a", () => {}, { onPresence });
    client.subscribe("room/a", () => {});
    await tick();
    FakeSocket.last.welcome();
    await tick();
    const [ann, bo, cy] = ["ann", "bo", null].map((id, index) => ({ client: `c${index}`, id }));
    const presence = (more: object) => FakeSocket.last.say({ kind: "presence", topic: "room/a", ...more });
    presence({ count: 1, here: [ann] });
    expect(onPresence).toHaveBeenLastCalledWith({ topic: "room/a", count: 1, here: [ann], joined: [], left: [] });
    presence({ count: 2, joined: [bo, cy], left: [ann] });
    expect(onPresence).toHaveBeenLastCalledWith({
      topic: "room/a",
      count: 2,
      here: [bo, cy],
      joined: [bo, cy],
      left: [ann],
    });
    presence({ count: 1, here: [cy] });
    expect(onPresence).toHaveBeenLastCalledWith({ topic: "room/a", count: 1, here: [cy], joined: [], left: [bo] });
    stop();
    await tick();
    expect(FakeSocket.last.frames.slice(2)).toEqual([{ kind: "subscribe", topic: "room/a", presence: false }]);
    presence({ count: 0, left: [cy] });
    expect(onPresence).toHaveBeenCalledTimes(3);
  });
});

import { abortAllDurableObjects, SELF } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { EventReader } from "../support/event-reader.ts";

const STREAM = "http://host/api/v1/events/stream";

function ask(query: string, headers: Record<string, string> = {}): Promise<Response> {
  return SELF.fetch(`${STREAM}?${query}`, { headers });
}

async function listen(query: string, headers: Record<string, string> = {}, reads = true): Promise<EventReader> {
  const answer = await ask(query, headers);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  return new EventReader(answer.body as ReadableStream<Uint8Array>, reads);
}

async function call(path: string, request: unknown): Promise<void> {
  const body = JSON.stringify({ request });
  const { status } = await SELF.fetch(`http://host/api/v1/objects/call/${path}`, { method: "POST", body });
  expect(status).toBe(200);
}

const cry = (id: string, ...lines: string[]) => call(`Crier/${id}/cry`, { lines });

describe("server-sent events in workerd", () => {
  test("[PUSH12] bring messages in order, and go on after the last id when the connection was cut", async () => {
    const reader = await listen("topics=square/sse");
    await reader.next("subscribed");
    await cry("sse", "one", "two");
    expect(await reader.next("message")).toMatchObject({ topic: "square/sse", data: "one" });
    const { lastId } = reader;
    await reader.cut();
    await cry("sse", "three");
    const back = await listen("topics=square/sse", { "last-event-id": lastId });
    expect(await back.next("welcome")).toMatchObject({ resumed: true });
    for (const data of lastId === reader.lastId ? ["two", "three"] : ["three"])
      expect(await back.next("message")).toMatchObject({ data });
  });

  test("[PUSH12] end with their gate's process, and go on at the next", async () => {
    const reader = await listen("topics=square/again");
    await reader.next("subscribed");
    await cry("again", "one");
    await reader.next("message");
    await abortAllDurableObjects();
    expect(await reader.over()).toBe("broken");
    await cry("again", "two");
    const back = await listen("topics=square/again", { "last-event-id": reader.lastId });
    expect(await back.next("welcome")).toMatchObject({ resumed: true });
    expect(await back.next("message")).toMatchObject({ data: "two" });
  });

  test("[PUSH12] wait for a slow reader, and lose nothing", async () => {
    const lines = Array.from({ length: 60 }, (_, index) => `${index} ${"x".repeat(32 * 1024)}`);
    const reader = await listen("topics=square/slow", {}, false);
    for (let from = 0; from < lines.length; from += 20) await cry("slow", ...lines.slice(from, from + 20));
    void reader.read();
    for (const data of lines) expect(await reader.next("message")).toMatchObject({ data });
  });

  test("[PUSH12] are for whom the credentials say, as long as they count", async () => {
    const ann = { authorization: "Bearer user-ann" };
    expect((await ask("topics=mine/bo", ann)).status).toBe(403);
    expect((await ask("topics=mine/ann")).status).toBe(403);
    const reader = await listen("topics=mine/ann", { authorization: "Bearer user-ann briefly" });
    expect(await reader.next("end")).toMatchObject({ code: 4401 });
    expect(await reader.over()).toBe("closed");
    const eve = await listen("topics=square/x", { authorization: "Bearer user-eve", "last-event-id": reader.lastId });
    expect(await eve.next("welcome")).toMatchObject({ resumed: false });
    const back = await listen("topics=mine/ann", { ...ann, "last-event-id": reader.lastId });
    expect(await back.next("welcome")).toMatchObject({ resumed: true });
  });

  test("[PUSH12] [PUSH11] show an object's changes", async () => {
    const reader = await listen("watch=Slow/streamed");
    expect(await reader.next("gone")).toMatchObject({ id: 0 });
    await call("Slow/streamed/work", { ms: 0 });
    expect(await reader.next("state")).toMatchObject({ id: 0, state: { done: 1 } });
  });
});

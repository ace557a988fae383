import { expect, test } from "vitest";
import { QueueSink } from "../../durable/queue-sink.ts";
import { publicEvent } from "../../src/partition/events/public-event.ts";
import { eventBytes } from "../../src/partition/storage/event-rows.ts";

/** What Cloudflare Queues takes in one batch. */
const QUEUES = { messages: 100, bytes: 256_000, message: 128_000 };

test("[EVT8] as many events as the sink takes at once fit into one batch of a queue, however long their names are", () => {
  const { limits } = new QueueSink({ sendBatch: async () => undefined });
  const largest = (data: string) =>
    publicEvent({
      place: [1, "T".repeat(64), "ü".repeat(256), `${"9".repeat(16)}.${"s".repeat(32)}`],
      sink: "s",
      eventId: "0193-7000-8000-9000-000000000000",
      topic: "t".repeat(128),
      epoch: 2 ** 31,
      time: 0,
      traceparent: "0".repeat(55),
      error: null,
      bytes: 0,
      data,
    });
  const size = (event: unknown) => Buffer.byteLength(JSON.stringify(event)) + 100;
  const rest = size(largest('""'));
  expect(limits.events).toBeLessThanOrEqual(QUEUES.messages);
  expect(rest + 96 * 1024).toBeLessThan(QUEUES.message);
  expect(eventBytes({ bytes: 96 * 1024 })).toBeLessThanOrEqual(limits.bytes);
  expect(limits.events * rest + limits.bytes - limits.events * eventBytes({ bytes: 0 })).toBeLessThan(QUEUES.bytes);
});

test("[EVT8] each event is a message of its own, as JSON; what the queue does not take is an error", async () => {
  const sent: unknown[] = [];
  const event = { id: "a" } as never;
  await new QueueSink({ sendBatch: async (messages) => sent.push(...messages) }).send([event]);
  expect(sent).toEqual([{ body: { id: "a" }, contentType: "json" }]);
  const full = async () => {
    throw new Error("Too Many Requests");
  };
  await expect(new QueueSink({ sendBatch: full }).send([event])).rejects.toThrow("Too Many Requests");
});

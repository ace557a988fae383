import { createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebhookSink } from "../../durable/webhook-sink.ts";
import type { PublicEvent } from "../../src/object/event.ts";
import { EventRefused } from "../../src/partition/events/ports.ts";

const KEY = randomBytes(32);
const SECRET = `whsec_${KEY.toString("base64")}`;
const EVENT: PublicEvent = {
  specversion: "1.0",
  id: "0193-7",
  source: "/objects/Order",
  type: "order.paid",
  subject: "o1",
  time: "2026-11-21T20:00:00.000Z",
  sequence: "0000000001.0000000000000001",
  datacontenttype: "application/json",
  data: { amount: 3, note: "größer" },
};

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());
afterEach(() => server?.close());

/** A web server on this machine; gives its address. */
async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=sesame`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

const sinkOf = (url: string, secret = SECRET) => new WebhookSink({ url, secret, fetch, now: () => 1_790_000_000_500 });

describe("a webhook", () => {
  test("[EVT7] gets the event, signed as Standard Webhooks says, with every secret", async () => {
    const other = randomBytes(24);
    const requests: { headers: IncomingMessage["headers"]; body: string }[] = [];
    const url = await listen(async (request, response) => {
      requests.push({ headers: request.headers, body: await bodyOf(request) });
      response.writeHead(202).end();
    });
    await sinkOf(url, `${SECRET} whsec_${other.toString("base64")}`).send([EVENT]);
    const [{ headers, body }] = requests as [(typeof requests)[number]];
    expect(JSON.parse(body)).toEqual(EVENT);
    expect(headers).toMatchObject({
      "content-type": "application/cloudevents+json; charset=utf-8",
      "webhook-id": EVENT.id,
      "webhook-timestamp": "1790000000",
    });
    const sign = (key: Buffer) =>
      `v1,${createHmac("sha256", key).update(`${EVENT.id}.1790000000.${body}`).digest("base64")}`;
    expect(headers["webhook-signature"]).toBe(`${sign(KEY)} ${sign(other)}`);
  });

  test.each([
    [500, false],
    [503, false],
    [429, false],
    [408, false],
    [400, true],
    [404, true],
    [410, true],
  ])("[EVT7] that answers %d refuses the event: %s", async (status, refused) => {
    const url = await listen((_, response) => response.writeHead(status).end("no"));
    const error: unknown = await sinkOf(url)
      .send([EVENT])
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: `the endpoint answers ${status}` });
    expect(error instanceof EventRefused).toBe(refused);
  });

  test("[EVT7] is not followed elsewhere", async () => {
    let asked = 0;
    const url = await listen((_, response) => {
      asked++;
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    await expect(sinkOf(url).send([EVENT])).rejects.toThrow("redirects are not followed");
    expect(asked).toBe(1);
  });

  test("[EVT7] whose answer never ends is not read to its end", async () => {
    let closed: Promise<unknown> | undefined;
    const url = await listen((_, response) => {
      closed = new Promise((resolve) => response.on("close", resolve));
      response.writeHead(200);
      const more = () => {
        while (response.write("x".repeat(64 * 1024))) if (response.destroyed) return;
      };
      response.on("drain", more);
      more();
    });
    await sinkOf(url).send([EVENT]);
    await closed;
  });

  test("[EVT7] that can't be reached is named in no error, nor is its secret", async () => {
    const error: unknown = await sinkOf("http://127.0.0.1:9/hook?token=sesame")
      .send([EVENT])
      .catch((e: unknown) => e);
    expect(error).toEqual(new Error("the endpoint can't be reached"));
    expect((error as Error).cause).toBeUndefined();
  });
});

test.each([
  ["http://example.com/hook", SECRET, "begins with https://"],
  ["ftp://127.0.0.1/hook", SECRET, "begins with https://"],
  ["no address", SECRET, "begins with https://"],
  ["https://ann:sesame@example.com/", SECRET, "must not contain a user"],
  ["https://example.com/", "sesame", 'must be "whsec_"'],
  ["https://example.com/", "", 'must be "whsec_"'],
  ["https://example.com/", `whsec_${randomBytes(23).toString("base64")}`, "24 to 64 bytes"],
  ["https://example.com/", `${SECRET} whsec_!`, "24 to 64 bytes"],
])("[EVT7] an address and a secret that can't be used are refused, and not repeated: %s", (url, secret, reason) => {
  const make = () => sinkOf(url, secret);
  expect(make).toThrow(reason);
  expect(make).not.toThrow("sesame");
});

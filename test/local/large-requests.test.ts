import { connect } from "node:net";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder } from "./host-process.ts";

let url: string;

beforeAll(async () => {
  const worker = ["--config", resolve("wrangler.toml"), "--no-postgres"];
  ({ url } = await spawnHost({ EDGEVERSE_DATA: temporaryFolder() }, ["--json"], worker).ready());
});
afterAll(cleanUp);

test.each([
  ["call/Nope/a/get", 404],
  ["call/Counter/a/add", 413],
  ["batch", 413],
])("[HTTP1] who sends 12 MiB to %s reads the answer, not a broken connection", async (path, status) => {
  const body = new Uint8Array(12 * 1024 * 1024).fill(0x20);
  const statuses = new Map<number | string, number>();
  for (let round = 0; round < 25; round++) {
    const answered = await fetch(`${url}/api/v1/objects/${path}`, { method: "POST", body }).then(
      async (response) => {
        await response.json();
        return response.status;
      },
      (error: Error) => String(error.cause),
    );
    statuses.set(answered, (statuses.get(answered) ?? 0) + 1);
  }
  expect([...statuses]).toEqual([[status, 25]]);
});

test("[HTTP1] many large bodies at the same time: each is taken or refused, and small calls go on afterwards", async () => {
  const body = `{"request":${" ".repeat(4_000_000)}{"by":1}}`;
  const call = (text: string) => fetch(`${url}/api/v1/objects/call/Counter/many/add`, { method: "POST", body: text });
  const statuses = await Promise.all(
    Array.from({ length: 24 }, async () => {
      const response = await call(body);
      await response.text();
      return response.status;
    }),
  );
  for (const status of statuses) expect([200, 503]).toContain(status);
  expect(statuses).toContain(200);
  const { response } = (await (await call('{"request":{"by":1}}')).json()) as { response: { value: number } };
  expect(response.value).toBe(statuses.filter((status) => status === 200).length + 1);
});

test("[HTTP7] a batch whose responses would pass a message of 32 MiB runs as many calls as its answer has room for", async () => {
  // Each answer has the names of all, and the sign makes each character two bytes in a message.
  const name = (index: number) => `€${index}-`.padEnd(60, "x");
  const batch = async (calls: readonly object[]) => {
    const response = await fetch(`${url}/api/v1/objects/batch`, { method: "POST", body: JSON.stringify({ calls }) });
    return ((await response.json()) as { results: { error?: { code: string } }[] }).results;
  };
  const join = (index: number) => ({ type: "ChatRoom", id: "room", method: "join", request: { name: name(index) } });
  await batch(Array.from({ length: 600 }, (_, index) => join(index)));
  const results = await batch(Array.from({ length: 1_000 }, (_, index) => join(index % 600)));
  const ran = results.findIndex(({ error }) => error !== undefined);
  expect(ran).toBeGreaterThan(100);
  expect(new Set(results.slice(ran).map(({ error }) => error?.code))).toEqual(new Set(["OVERLOADED"]));
});

test("CONNECT never reaches the Worker: workerd answers it", async () => {
  const { port } = new URL(url);
  const answer = await new Promise<string>((done) => {
    const socket = connect(Number(port), "127.0.0.1", () =>
      socket.write("CONNECT a.test:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    );
    socket.on("data", (bytes) => {
      done(String(bytes));
      socket.destroy();
    });
  });
  expect(answer).toMatch(/^HTTP\/1\.1 500 /);
});

import type { RequestListener } from "node:http";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NeonClient } from "../../durable/neon-client.ts";
import { openNeon, readFailure } from "../../durable/neon-database.ts";
import { type LocalServer, startServer } from "../support/local-server.ts";
import { failureOf, neonDriver } from "../support/neon-driver.ts";

const URL_ = "postgresql://user:sesame@ep-a-1-pooler.eu.aws.neon.tech/db";

describe("what NeonClient sends is what Neon's driver sends", () => {
  const answer = { command: "SELECT", rowCount: 0, rowAsArray: true, fields: [], rows: [] };

  /** Every request as text, but for the name of the client. */
  function recorder() {
    const requests: unknown[] = [];
    const fetch = async (endpoint: unknown, { method, headers, body }: RequestInit = {}) => {
      const sent = headers as Record<string, string>;
      const url = new URL(sent["Neon-Connection-String"] ?? "");
      url.searchParams.delete("application_name");
      requests.push({ endpoint, method, body, headers: { ...sent, "Neon-Connection-String": url.href } });
      return Response.json(JSON.parse(body as string).queries ? { results: [answer] } : answer);
    };
    return { requests, fetch };
  }

  test.each([
    URL_,
    "postgres://user:sesame@EP-A-1.eu.aws.neon.tech:5432/db?sslmode=require&channel_binding=require",
    "postgresql://us%40er:s%C3%A9s%2Fame%25@ep-a-1.c-2.eu.aws.neon.tech/d%20b?options=project%3Da",
    "postgresql://Üser:sésame wörd@ep-a-1.neon.tech/db",
    "postgresql://user:sesame@localhost/db",
  ])("to %s", async (url) => {
    const [ours, theirs] = [recorder(), recorder()];
    await openNeon({ url, fetch: ours.fetch }).execute(sql`select 1`);
    await neonDriver(url, theirs.fetch).query("select 1");
    expect(theirs.requests).toHaveLength(1);
    const lower = (requests: unknown) => JSON.parse(JSON.stringify(requests).replace("EP-A-1", "ep-a-1"));
    expect(lower(ours.requests)).toEqual(lower(theirs.requests));
  });

  test("for every kind of parameter", async () => {
    const texts = ["", " ", "a'b\"c\\d\n", "ü 漢 😀 \u2028", "null", "{1,2}", '{"a":[1,"b"]}', "\u0000", "\ud800"];
    const numbers = [0, -0, -1, 0.1, 1e21, 1e-7, Number.MAX_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY];
    const params = [...texts, ...numbers, 2n ** 63n - 1n, -(2n ** 63n), true, false, null];
    const [ours, theirs] = [recorder(), recorder()];
    await openNeon({ url: URL_, fetch: ours.fetch }).execute(
      sql.join([sql`select`, ...params.map((param) => sql`${sql.param(param)}`)]),
    );
    const { query } = JSON.parse((ours.requests[0] as { body: string }).body) as { query: string };
    await neonDriver(URL_, theirs.fetch).query(query, params);
    expect(ours.requests).toEqual(theirs.requests);
  });

  test("for a transaction", async () => {
    const [ours, theirs] = [recorder(), recorder()];
    await new NeonClient({ url: URL_, fetch: ours.fetch }).transaction([{ query: "select $1", params: ["a"] }]);
    const sql = neonDriver(URL_, theirs.fetch);
    await sql.transaction([sql.query("select $1", ["a"])]);
    expect(ours.requests).toEqual(theirs.requests);
  });

  test("and an object is no parameter: drizzle's columns make texts of them", async () => {
    const { fetch, requests } = recorder();
    const error = await failureOf(openNeon({ url: URL_, fetch }).execute(sql`select ${sql.param(new Date(0))}`));
    expect(readFailure(error)).toEqual({ state: undefined, unconnected: false, reason: "TypeError" });
    expect(requests).toEqual([]);
  });
});

describe("without an answer of a database NeonClient says why, and nothing secret", () => {
  const select = { query: "select $1", params: ["private"] };
  const ANSWERS: Record<string, (echo: string) => { status: number; headers?: Record<string, string>; body: string }> =
    {
      "/page": (echo) => ({ status: 404, body: `<html>${echo}` }),
      "/success": (echo) => ({ status: 200, body: `<html>${echo}` }),
      "/foreign": (echo) => ({ status: 200, body: JSON.stringify({ echo }) }),
      "/down": () => ({ status: 503, body: JSON.stringify({ message: "The database cannot be reached" }) }),
      "/stateless": () => ({ status: 400, body: JSON.stringify({ message: "no such project", code: null }) }),
      "/moved": () => ({ status: 307, headers: { location: "/elsewhere" }, body: "" }),
    };
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    if (path === "/silent") return;
    if (path === "/closing") return void request.socket.destroy();
    if (path === "/half" || path === "/slow") {
      response.writeHead(200, { "content-length": 100 });
      response.write("{", () => path === "/half" && request.socket.destroy());
      return;
    }
    const { status, headers, body } = ANSWERS[path]?.(JSON.stringify(request.headers)) ?? { status: 500, body: "" };
    response.writeHead(status, headers).end(body);
  };
  let server: LocalServer;
  beforeAll(async () => {
    server = await startServer(listener);
  });
  afterAll(() => server?.stop());

  test.each([
    ["/moved", "HTTP status 307: no reason given", false],
    ["/page", "HTTP status 404: no reason given", false],
    ["/down", "HTTP status 503: The database cannot be reached", false],
    ["/stateless", "HTTP status 400: no such project", false],
    ["/success", "the answer is not that of a database", false],
    ["/foreign", "the answer is not that of a database", false],
    ["/closing", "no connection", true],
    ["/half", "the answer broke off", false],
    ["/silent", "no answer in time", false],
    ["/slow", "no answer in time", false],
  ])("%s: %s", async (path, reason, unconnected) => {
    asked.length = 0;
    const timeoutMs = reason === "no answer in time" ? 300 : 10_000;
    const client = new NeonClient({ url: URL_, endpoint: server.url + path, timeoutMs });
    const error = await failureOf(client.query(select));
    expect(readFailure(error)).toEqual({ state: undefined, unconnected, reason });
    // Followed, it would have taken the password along.
    expect(asked).not.toContain("/elsewhere");
    const { message, stack, cause } = error as Error;
    expect(`${message} ${stack} ${cause}`).not.toMatch(/sesame|private|127\.0\.0\.1/);
    // Neon's driver fails in the same way, but that it follows a redirect.
    const sql = neonDriver(URL_, (_, init) =>
      fetch(server.url + path, { ...init, signal: AbortSignal.timeout(timeoutMs) }),
    );
    const oracle = (await failureOf(sql.query(select.query, select.params))) as { sourceError?: Error };
    expect(oracle.sourceError !== undefined && oracle.sourceError.name !== "TimeoutError").toBe(unconnected);
  });

  test("nothing listens", async () => {
    const client = new NeonClient({ url: URL_, endpoint: "http://127.0.0.1:9/sql" });
    const failure = { state: undefined, unconnected: true, reason: "no connection" };
    expect(readFailure(await failureOf(client.query(select)))).toEqual(failure);
    expect(readFailure(await failureOf(client.transaction([select])))).toEqual(failure);
  });

  test("what an answer says at length is cut", async () => {
    const answer = () => Response.json({ message: "x".repeat(10_000) }, { status: 500 });
    const error = await failureOf(new NeonClient({ url: URL_, fetch: async () => answer() }).query(select));
    expect(readFailure(error).reason).toHaveLength(200);
  });
});

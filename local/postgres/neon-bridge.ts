import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SqlExecutor, SqlResult } from "./executor.ts";
import { BadRequest, type NeonRequest, parseNeonRequest } from "./neon-request.ts";

/** A request's greatest size, as at Neon. */
const MAX_BODY = 64 * 1024 * 1024;
/** Requests at work or waiting for a connection. */
const MAX_REQUESTS = 256;

export interface NeonBridge {
  /** `http://127.0.0.1:<port>/sql` */
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface NeonBridgeOptions {
  /** The connection string a client must send. Its password is the secret that keeps other local processes out. */
  readonly url: string;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
}

/**
 * Neon's HTTP protocol before any Postgres, for workers that run locally: `POST /sql`, one statement or a batch. On
 * 127.0.0.1 only. SQL errors are 400 with Postgres's own fields; a database that cannot be reached is 503.
 */
export async function startNeonBridge(executor: SqlExecutor, options: NeonBridgeOptions): Promise<NeonBridge> {
  const expected = identify(options.url);
  let requests = 0;
  const server = createServer((request, response) => {
    if (requests >= MAX_REQUESTS) {
      send(response, 503, { message: "Too many requests wait for the database" });
      return;
    }
    requests++;
    response.once("close", () => requests--);
    serve(executor, expected, request).then(
      (body) => send(response, 200, body),
      (error: unknown) => sendError(response, error),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  return { endpoint: `http://127.0.0.1:${port}/sql`, close };
}

async function serve(executor: SqlExecutor, expected: Buffer, request: IncomingMessage): Promise<unknown> {
  const sent = request.headers["neon-connection-string"];
  if (typeof sent !== "string" || !timingSafeEqual(identify(sent), expected)) {
    throw new BadRequest(401, "The connection string is not the one of this bridge");
  }
  const path = request.url?.split("?", 1)[0];
  if (path !== "/sql" || request.method !== "POST") throw new BadRequest(404, "Only POST /sql is here");
  const parsed = parseNeonRequest(await readBody(request), request.headers);
  const results = await executor.run(parsed.statements, parsed.batch);
  const bodies = results.slice(parsed.preamble).map((result) => toBody(result, parsed));
  return parsed.batch ? { results: bodies } : bodies[0];
}

/** Who a connection string is for: everything but its options, to which clients add their own. */
function identify(connectionString: string): Buffer {
  const url = URL.canParse(connectionString) ? new URL(connectionString) : undefined;
  const parts = url === undefined ? [] : [url.username, url.password, url.host, url.pathname];
  return createHash("sha256").update(JSON.stringify(parts)).digest();
}

function toBody({ command, rowCount, fields, rows }: SqlResult, { arrayMode }: NeonRequest): unknown {
  const asObject = (row: SqlResult["rows"][number]) =>
    Object.fromEntries(fields.map(({ name }, at) => [name, row[at]]));
  return { command, rowCount, rowAsArray: arrayMode, fields, rows: arrayMode ? rows : rows.map(asObject) };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new BadRequest(413, `The request is larger than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const FIELDS = [
  "severity",
  "code",
  "detail",
  "hint",
  "position",
  "where",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
];
/** Connection failures, too many connections, shutdown and start-up: Postgres is there, but not to be had. */
const DOWN = /^(?:08|53300|57P0)/;

function sendError(response: ServerResponse, error: unknown): void {
  const { status, body } = describeError(error);
  send(response, status, body);
}

function describeError(error: unknown): { status: number; body: Record<string, unknown> } {
  if (error instanceof BadRequest) return { status: error.status, body: { message: error.message } };
  const fields = error as Record<string, unknown>;
  const code = fields?.["code"];
  const isSql = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code);
  // Without an SQLSTATE it is the connection: its message may name hosts and users, the caller needs neither.
  if (!isSql || DOWN.test(code)) return { status: 503, body: { message: "The database cannot be reached" } };
  const known = FIELDS.filter((name) => typeof fields[name] === "string").map((name) => [name, fields[name]]);
  return { status: 400, body: { message: String(fields["message"]), ...Object.fromEntries(known) } };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  // After an early refusal the rest of the body is unread: the connection cannot be used again.
  const headers = {
    "content-type": "application/json",
    ...(status === 200 || status === 400 ? {} : { connection: "close" }),
  };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

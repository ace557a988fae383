import { NeonDbError, neon, neonConfig } from "@neondatabase/serverless";
import { drizzle, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import { EdgeverseError } from "../src/errors/edgeverse-error.ts";

export interface NeonOptions {
  /** `postgresql://user:password@host/database`. */
  readonly url: string;
  /** Where to send SQL instead of Neon's own address for `url`: the local bridge, `http://127.0.0.1:<port>/sql`. */
  readonly endpoint?: string | undefined;
  /** How long one statement may take, answer included. Default 10,000 ms. */
  readonly timeoutMs?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

type Send = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Drizzle over Neon's HTTP protocol, in workerd and in Node. Every statement has its own timeout.
 *
 * @throws INVALID_ARGUMENT when `url` is not a Postgres URL; the message never shows it, it holds a password
 */
export function openNeon(options: NeonOptions): NeonHttpDatabase {
  checkUrl(options.url);
  const { endpoint, timeoutMs = 10_000 } = options;
  // Called as a plain function: workerd refuses `fetch` with another `this`.
  const fetcher = options.fetch;
  const send: Send = (url, init) => {
    const timed = { ...init, signal: AbortSignal.timeout(timeoutMs) };
    return fetcher === undefined ? fetch(endpoint ?? url, timed) : fetcher(endpoint ?? url, timed);
  };
  const sql = neon(options.url, { disableWarningInBrowsers: true });
  type Query = typeof sql.query;
  const query = (...args: Parameters<Query>) => sendWith(send, () => sql.query(...args));
  // The part of the driver that drizzle calls for a single statement; `transaction` is not used.
  return drizzle({ client: Object.assign(query, { query }) as unknown as typeof sql });
}

/**
 * The driver knows one `fetchFunction` for the whole process, and reads it synchronously when a query starts. Lending it
 * ours just then keeps two logs with different endpoints, and an application's own use of the driver, out of each other's way.
 */
function sendWith<T>(send: Send, start: () => PromiseLike<T>): Promise<T> {
  const before: unknown = neonConfig.fetchFunction;
  neonConfig.fetchFunction = send;
  try {
    return new Promise((resolve, reject) => {
      start().then(resolve, reject);
    });
  } finally {
    neonConfig.fetchFunction = before;
  }
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const known = url?.protocol === "postgres:" || url?.protocol === "postgresql:";
  if (url === undefined || !known || url.username === "" || url.hostname === "" || url.pathname.length < 2) {
    throw new EdgeverseError(
      "INVALID_ARGUMENT",
      "Cannot use the database URL: expected postgresql://user:password@host/database",
    );
  }
}

/** What went wrong with a statement. `state` is Postgres's SQLSTATE, if it answered with one. */
export interface NeonFailure {
  readonly state: string | undefined;
  /** The connection failed before an answer came, and not for lack of time. */
  readonly unconnected: boolean;
  readonly reason: string;
}

/** Reads an error of the driver. Drizzle's own message is dropped: it repeats the statement's parameters. */
export function readFailure(thrown: unknown): NeonFailure {
  const error = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  if (!(error instanceof NeonDbError)) {
    return { state: undefined, unconnected: false, reason: error instanceof Error ? error.name : "unknown failure" };
  }
  if (error.code !== undefined)
    return { state: error.code, unconnected: false, reason: `${error.code} ${error.message}` };
  const source = error.sourceError;
  if (source === undefined) return { state: undefined, unconnected: false, reason: error.message.slice(0, 200) };
  const timedOut = source.name === "TimeoutError" || source.name === "AbortError";
  return { state: undefined, unconnected: !timedOut, reason: timedOut ? "no answer in time" : "no connection" };
}

import type { IncomingHttpHeaders } from "node:http";
import * as z from "zod";
import { type SqlStatement, statement } from "./executor.ts";

/** A request that never reaches Postgres. */
export class BadRequest extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface NeonRequest {
  readonly statements: readonly SqlStatement[];
  /** Several statements in one transaction. */
  readonly batch: boolean;
  /** How many of the first statements are ours, not the client's. */
  readonly preamble: number;
  readonly arrayMode: boolean;
}

const param = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((v) => (v === null ? null : String(v)));
const single = z.object({ query: z.string(), params: z.array(param).max(65_535).default([]) });
const body = z.union([single, z.object({ queries: z.array(single).max(1_000) })]);

const ISOLATION: Record<string, string> = {
  ReadUncommitted: "read uncommitted",
  ReadCommitted: "read committed",
  RepeatableRead: "repeatable read",
  Serializable: "serializable",
};

/** Reads a request of Neon's HTTP protocol. */
export function parseNeonRequest(text: string, headers: IncomingHttpHeaders): NeonRequest {
  const parsed = body.safeParse(parseJson(text));
  if (!parsed.success) throw new BadRequest(400, "Expected {query, params} or {queries: [{query, params}]}");
  // The bridge passes Postgres text on, it does not parse values.
  if (headers["neon-raw-text-output"] !== "true") throw new BadRequest(400, "Expected Neon-Raw-Text-Output: true");
  const arrayMode = headers["neon-array-mode"] === "true";
  if (!("queries" in parsed.data)) return { statements: [parsed.data], batch: false, preamble: 0, arrayMode };
  const settings = transactionSettings(headers);
  return { statements: [...settings, ...parsed.data.queries], batch: true, preamble: settings.length, arrayMode };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest(400, "The body is not JSON");
  }
}

function transactionSettings(headers: IncomingHttpHeaders): SqlStatement[] {
  const modes: string[] = [];
  const isolation = ISOLATION[String(headers["neon-batch-isolation-level"] ?? "")];
  if (isolation !== undefined) modes.push(`isolation level ${isolation}`);
  if (headers["neon-batch-read-only"] === "true") modes.push("read only");
  if (headers["neon-batch-deferrable"] === "true") modes.push("deferrable");
  return modes.length === 0 ? [] : [statement(`set transaction ${modes.join(", ")}`)];
}

import type * as z from "zod";
import type { ErrorCode } from "../errors/codes.ts";
import type { Standing } from "../limits/client-limits.ts";
import type { RequestBody } from "./request-body.ts";

/** A request that a route is to answer. */
export interface HttpContext {
  readonly request: Request;
  readonly requestId: string;
  /** Names the request to partitions where the client chose its id, which others may have chosen too. */
  readonly ticket: string | undefined;
  readonly body: RequestBody;
  /** What is left to the client, once something was taken: for the headers of the answer. */
  readonly limits: { standings: readonly Standing[] };
  /** Who it is that a token of the admin API has let in, for the audit. */
  readonly actor?: string | undefined;
  /** The decoded value of `{name}` in the route's path. */
  param(name: string): string;
}

export type Tag =
  | "objects"
  | "host"
  | "cluster"
  | "partitions"
  | "gates"
  | "shards"
  | "call log"
  | "settings"
  | "events"
  | "sinks"
  | "keys";

/** Headers of answers, beside those that every answer or every problem may have. */
export type AnswerHeader = "Idempotency-Replayed" | "Location" | "Preference-Applied";

/** What a route answers with when all goes well. */
export interface Answer {
  readonly description: string;
  /** Of its body; without one it has none. */
  readonly schema?: z.ZodType;
  readonly headers?: readonly AnswerHeader[];
  /** It is also there as a page. */
  readonly html?: boolean;
  /** The type of its body. Default: JSON. */
  readonly type?: "text/event-stream";
}

/** What the OpenAPI document says of a route, beside what holds for all. */
export interface RouteDoc {
  /** Its `operationId`: what a generated client calls it. */
  readonly id: string;
  readonly tag: Tag;
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With `{name}` for a parameter. */
  readonly path: string;
  readonly summary: string;
  /** The role that it needs there. Default: to look `viewer`, to change `operator`. */
  readonly role?: "viewer" | "operator" | "admin";
  readonly description?: string;
  /** It is kept for those who use it, and another does the same. */
  readonly deprecated?: boolean;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Codes of the problems it may answer with, beside those that follow from its path, query and body. */
  readonly problems?: readonly ErrorCode[];
  /** Headers of its problems, beside those that any has. */
  readonly problemHeaders?: readonly AnswerHeader[];
}

/**
 * One route: how it is documented, and what answers it. It throws `EdgeverseError`s; whoever registers it makes them problems.
 * Its schemas document it; the handler itself says what is parsed by which, once.
 */
export interface Route {
  readonly doc: RouteDoc;
  readonly handle: (context: HttpContext) => Promise<Response> | Response;
}

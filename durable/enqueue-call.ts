import { type SQL, sql } from "drizzle-orm";
import { reliableCalls as t } from "../schema/reliable-calls.ts";
import { toJsonbText } from "../src/reliable/jsonb-text.ts";

/** What any drizzle Postgres database or transaction offers: pglite, node-postgres, neon, postgres.js. */
export interface CallExecutor {
  execute(query: SQL): PromiseLike<unknown>;
}

export interface EnqueuedCall {
  readonly type: string;
  readonly id: string;
  readonly method: string;
  /** A JSON value; left out, the method gets none. */
  readonly request?: unknown;
  /** Names the call, per object: enqueueing the same id again does nothing. Default: a new UUID. */
  readonly callId?: string;
  /** The call never runs after this. */
  readonly expiresAt?: Date;
}

/**
 * Makes a reliable call from inside the application's own transaction ([CALL11]): it exists if and only if the
 * transaction commits, and then runs exactly once: at the next look into the log, such as `host.reconcile(env)` or
 * `POST /admin/v1/calls/wake` after the transaction.
 * Type, id and method are checked by the object's owner; a call it refuses ends as `failed`.
 *
 * @returns the call id
 * @example
 * ```ts
 * await db.transaction(async (tx) => {
 *   await tx.insert(orders).values({ id: "o-1", total: 12 });
 *   await enqueueCall(tx, { type: "Cart", id: "c-1", method: "checkout", request: { order: "o-1" } });
 * });
 * ```
 */
export async function enqueueCall(tx: CallExecutor, call: EnqueuedCall): Promise<string> {
  const callId = call.callId ?? crypto.randomUUID();
  // `undefined` has no JSON text; null does, and is a value.
  const request = toJsonbText(call.request === undefined ? null : JSON.stringify(call.request));
  const columns = [t.callId, t.objectType, t.objectId, t.method, t.request, t.expiresAt].map((c) =>
    sql.identifier(c.name),
  );
  // The cast, and not the column's own mapping, makes the JSON: drivers differ in what they do to a jsonb parameter.
  await tx.execute(sql`
    insert into ${t} (${sql.join(columns, sql`, `)})
    values (${callId}, ${call.type}, ${call.id}, ${call.method}, ${request}::text::jsonb,
      ${call.expiresAt?.toISOString() ?? null}::timestamptz)
    on conflict do nothing`);
  return callId;
}

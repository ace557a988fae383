import { parseToken } from "./client-id.ts";

/** The id after which a client is told to stay away: its session has gone to another connection. */
export const LAST_ID = "end";

const ID = /^(.{1,200})\.(\d{1,15})$/;

/** The id of an event: the token of the session, and up to which message the client has all that is for it. */
export function eventId(token: string, n: number): string {
  return `${token}.${n}`;
}

/** What the id of an event says; undefined for what is none. */
export function parseEventId(id: string) {
  const [, session = "", seen] = ID.exec(id) ?? [];
  const client = parseToken(session)?.client;
  return client === undefined ? undefined : { client, session, seen: Number(seen) };
}

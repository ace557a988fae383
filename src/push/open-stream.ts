import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock, Random } from "../platform/ports.ts";
import { parseToken } from "./client-id.ts";
import { EventStream } from "./event-stream.ts";
import type { ClientFrame } from "./frames.ts";
import type { Gate } from "./gate.ts";

/** What a stream is to bring. */
export interface StreamRequest {
  /** The token of a session to go on with, and up to which message its client has all. */
  readonly session?: string;
  readonly seen?: number;
  readonly topics: readonly string[];
  /** From which client it comes, as limits name it ([LIM2]). */
  readonly origin?: string;
  /** Objects to watch, under their places in this list. */
  readonly watch: readonly { readonly type: string; readonly object: string }[];
}

/** For whom a stream is opened. */
export interface Visitor {
  readonly identity: Identity | null;
  /** When the identity's credentials end, ms since the epoch. */
  readonly expires?: number | undefined;
  /** Their name, if they can be revoked. */
  readonly credential?: string | undefined;
}

/** Ms after which a client comes back: not all in the same moment. */
const RETRY = { least: 1_000, most: 4_000 } as const;

/**
 * Opens a stream at a gate, for an identity that may connect.
 * @throws EdgeverseError `OVERLOADED`
 */
export async function openStream(
  gate: Pick<Gate, "checkRoom" | "open" | "received" | "closed">,
  { session, seen, topics, watch, origin }: StreamRequest,
  { identity, expires, credential }: Visitor,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<ReadableStream<Uint8Array>> {
  gate.checkRoom(parseToken(session ?? "")?.client, origin);
  const chance = Number.parseInt(random.uuid().slice(0, 8), 16) / 2 ** 32;
  const say = (frame: ClientFrame) => void gate.received(stream, JSON.stringify(frame));
  const stream: EventStream = new EventStream({
    clock,
    origin,
    retry: Math.floor(RETRY.least + chance * (RETRY.most - RETRY.least)),
    say,
    gone: () => gate.closed(stream),
  });
  gate.open(stream, identity, expires, credential);
  say({ kind: "hello", topics: [...topics], ...(session === undefined ? {} : { session, seen: seen ?? 0 }) });
  const refused = await stream.opened;
  if (refused !== undefined) throw EdgeverseError.from(refused);
  for (const [id, object] of watch.entries()) say({ kind: "watch", id, ...object });
  return stream.body;
}

import { credentialOf, expiryOf, type Identity } from "../src/access/identity.ts";
import { EdgeverseError, type WireError } from "../src/errors/edgeverse-error.ts";
import type { GateStatus } from "../src/push/gate-status.ts";
import type { PushMessage } from "../src/push/message-log.ts";
import type { StreamRequest } from "../src/push/open-stream.ts";
import type { PresenceMessage, PresenceReceipt } from "../src/push/presence-note.ts";
import type { LiveChange, LiveReceipt } from "../src/router/live-views.ts";
import type { VersionedDocument } from "../src/settings/document.ts";
import type { Confirmation } from "../src/settings/live-settings.ts";

/** The Durable Object of a gate as this worker's own code reaches it. */
export interface GateRpc {
  deliver(messages: readonly PushMessage[]): Promise<void>;
  configure(offer: VersionedDocument): Promise<Confirmation>;
  live(from: string, changes: readonly LiveChange[] | null): Promise<LiveReceipt>;
  status(): Promise<GateStatus>;
  presence(message: PresenceMessage): Promise<PresenceReceipt>;
  revoke(credentials: readonly string[]): Promise<void>;
  /** Opens a WebSocket, or a stream of events. Only this worker's code can ask: whom it is for is in a header that no client sends. */
  fetch(request: Request): Promise<Response>;
}

/** The header that says for whom a connection is opened. */
const IDENTITY = "x-edgeverse-identity";
/** The same for who the client says it is. */
const CLIENT = "x-edgeverse-client";
/** The same for the name of its credentials. */
const CREDENTIAL = "x-edgeverse-credential";
/** The same for from which client it comes, as limits name it. */
const ORIGIN = "x-edgeverse-origin";
/** The same for when its credentials end, ms since the epoch. */
const EXPIRES = "x-edgeverse-expires";

/**
 * Opens a client's WebSocket at a gate. What the gate gets is made here: nothing of the client's own request.
 * @throws EdgeverseError `OVERLOADED`
 */
export function openSocket(
  gate: GateRpc,
  identity: Identity | null,
  { client, origin }: { readonly client: string; readonly origin: string },
): Promise<Response> {
  const from = { [CLIENT]: encodeURIComponent(client), [ORIGIN]: encodeURIComponent(origin) };
  return ask(gate, "socket", identity, { headers: { upgrade: "websocket", ...from } });
}

/** The same for a stream of events. */
export function openEvents(gate: GateRpc, identity: Identity | null, wanted: StreamRequest): Promise<Response> {
  return ask(gate, "stream", identity, { method: "POST", body: JSON.stringify(wanted) });
}

/** For whom a connection is opened, as its gate is told. */
export function visitorOf({ headers }: Request) {
  const identity = headers.get(IDENTITY);
  const expires = headers.get(EXPIRES);
  return {
    client: decodeURIComponent(headers.get(CLIENT) ?? ""),
    origin: decodeURIComponent(headers.get(ORIGIN) ?? ""),
    identity: identity === null ? null : (JSON.parse(decodeURIComponent(identity)) as Identity),
    expires: expires === null ? undefined : Number(expires),
    credential: headers.get(CREDENTIAL) ?? undefined,
  };
}

async function ask(gate: GateRpc, what: string, identity: Identity | null, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  if (identity !== null) headers.set(IDENTITY, encodeURIComponent(JSON.stringify(identity)));
  const expires = expiryOf(identity);
  if (expires !== undefined) headers.set(EXPIRES, String(expires));
  const credential = credentialOf(identity);
  if (credential !== undefined) headers.set(CREDENTIAL, credential);
  const response = await gate.fetch(new Request(`https://gate/${what}`, { ...init, headers }));
  if (response.status === 101 || response.status === 200) return response;
  throw EdgeverseError.from((await response.json()) as WireError);
}

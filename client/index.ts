/** `edgeverse/client`: calls a host, and hears from it. It has none of the host's code. */
export { type Client, type ClientOptions, createClient } from "./client.ts";
export { ClientError } from "./client-error.ts";
export type { Member } from "./frames.ts";
export type { LinkStatus } from "./link.ts";
export { createOutbox, type Outbox, type OutboxOptions, type Outcome } from "./outbox.ts";
export type { Presence } from "./presence.ts";
export type { OutboxStorage, StoredCall } from "./storage.ts";
export type { TokenSource } from "./tokens.ts";
export type { OnMessage, SubscribeOptions } from "./topics.ts";
export type { CallOptions, LifecycleOptions, RemoteObject } from "./types.ts";
export type { WatchOptions } from "./watches.ts";

/** `edgeverse/client`: calls a host, and hears from it. It has none of the host's code. */
export { type Client, type ClientOptions, createClient } from "./client.ts";
export { ClientError } from "./client-error.ts";
export type { TokenSource } from "./tokens.ts";
export type { CallOptions, LifecycleOptions, RemoteObject } from "./types.ts";

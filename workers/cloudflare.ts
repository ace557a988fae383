/** `edgeverse/cloudflare`: serves object classes from a Cloudflare Worker. */
export type { Env } from "../durable/environment.ts";
export type { EventOptions, SinkOptions } from "../durable/event-sinks.ts";
export type { Authenticator } from "../src/http/authentication.ts";
export type { CorsOptions } from "../src/http/cors.ts";
export type { Limit, Limits } from "../src/limits/limits-schema.ts";
export type { ClientRule, PushOptions, TopicRule } from "../src/push/push-rules.ts";
export type { ReconcileReport } from "../src/reliable/maintenance-report.ts";
export type { FoundObjects, QueryOptions } from "../src/router/object-queries.ts";
export type { RemoteCallOptions, RemoteLifecycleOptions } from "../src/router/remote-objects.ts";
export { apiKeys } from "./api-keys.ts";
export type { Crons } from "./cron.ts";
export { defineHost, type HostOptions } from "./define-host.ts";
export type { CronEvent, Host, HostContext, HostWorker } from "./host.ts";

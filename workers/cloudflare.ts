/** `edgeverse/cloudflare`: serves object classes from a Cloudflare Worker. */
export type { Env } from "../durable/environment.ts";
export { defineHost, type HostOptions } from "./define-host.ts";

/** What one unit costs beyond what the plan includes, in US dollars, with where and when that was read. */
export interface Price {
  readonly dollars: number;
  /** How many units that is for. */
  readonly per: number;
  readonly unit: string;
  readonly source: string;
  /** The day it was read. */
  readonly read: string;
}

const READ = "2026-11-21";
const WORKERS = "https://developers.cloudflare.com/workers/platform/pricing/";
const OBJECTS = "https://developers.cloudflare.com/durable-objects/platform/pricing/";
const NEON = "https://neon.com/docs/introduction/plans";
const MILLION = 1_000_000;

/** Workers Paid (5 dollars a month), and Neon's Launch plan. Whoever changes a price changes its date. */
export const PRICES = {
  workerRequests: { dollars: 0.3, per: MILLION, unit: "requests to a Worker", source: WORKERS, read: READ },
  objectRequests: { dollars: 0.15, per: MILLION, unit: "requests to Durable Objects", source: OBJECTS, read: READ },
  rowsRead: { dollars: 0.001, per: MILLION, unit: "rows read", source: OBJECTS, read: READ },
  rowsWritten: { dollars: 1, per: MILLION, unit: "rows written", source: OBJECTS, read: READ },
  gigabyteSeconds: { dollars: 12.5, per: MILLION, unit: "GB-s of Durable Objects", source: OBJECTS, read: READ },
  computeHours: { dollars: 0.106, per: 1, unit: "CU-hours of Postgres", source: NEON, read: READ },
} satisfies Record<string, Price>;

/** Every Durable Object is billed for 128 MB, whatever it uses. */
export const OBJECT_GIGABYTES = 0.128;
/** Neon's smallest compute, and how long it stays awake after a statement. */
export const POSTGRES_UNITS = 0.25;
export const POSTGRES_IDLE_MINUTES = 5;
/** Not to be counted here, so assumed: how long a request keeps a Durable Object at work. */
export const ASSUMED_REQUEST_MS = 5;

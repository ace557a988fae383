/** What one connection sends over and over. Paths and bodies are taken in turn: request n has path n and body n. */
export interface RequestPlan {
  readonly method: "GET" | "POST";
  readonly paths: readonly string[];
  readonly bodies?: readonly string[];
  /** A line of the head beside the usual ones, taken in turn like the rest. */
  readonly headers?: readonly string[];
  /** Gives every request an `Idempotency-Key` nobody used before. */
  readonly freshKeys?: boolean;
}

/** One load, from start to end on its own connections. */
export interface Job {
  readonly port: number;
  readonly connections: number;
  readonly plan: RequestPlan;
  /** How long to count, after a short ramp that is part of no count. */
  readonly seconds: number;
  /** Send this many requests and end, instead of going by time. */
  readonly requests?: number;
}

export interface JobResult {
  /** Requests answered in all, also before and after counting. */
  readonly answered: number;
  /** Requests answered while counting. */
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Share of one core that the generator itself used: near 1 it measures itself. */
  readonly generatorCpu: number;
}

/** What the generator process answers a job with. */
export type JobReply =
  | { readonly ok: true; readonly result: JobResult }
  | { readonly ok: false; readonly error: string };

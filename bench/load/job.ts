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

/** Calls over WebSockets. Results that come in one message are followed by as many calls in one message, as the client does. */
export interface SocketCallPlan {
  readonly kind: "socket-calls";
  /** Calls that each connection has open at any time. */
  readonly inFlight: number;
  /** The members of a call but for its kind and number, as JSON without braces; taken in turn. */
  readonly calls: readonly string[];
}

/** Messages that all connections get. What counts as a request is one message that one connection has got. */
export interface FanOutPlan {
  readonly kind: "fan-out";
  /** The topic that clients of a gate listen to; without it they are those of the bare worker, and say nothing. */
  readonly topic?: string;
  /** A client acknowledges after so many messages, and after so many ms if that is sooner. */
  readonly acknowledge?: { readonly every: number; readonly after?: number };
  /** What a client sends to say something to all: `#` is the message's number. */
  readonly say: string;
  /** Clients that speak; each says the next thing when all have got the one before. */
  readonly speakers: number;
}

export type Plan = RequestPlan | SocketCallPlan | FanOutPlan;

/** One load, from start to end on its own connections. */
export interface Job {
  readonly port: number;
  readonly connections: number;
  readonly plan: Plan;
  /** How long to count, after a short ramp that is part of no count. */
  readonly seconds: number;
  /** Send this many requests and end, instead of going by time. */
  readonly requests?: number;
  /** A process whose processor time counts. */
  readonly serverPid?: number;
}

export interface JobResult {
  /** Requests answered while counting. */
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Share of one core that the generator itself used: near 1 it measures itself. */
  readonly generatorCpu: number;
  /** Processor time that the server used while counting, µs; NaN where it is not known. */
  readonly serverCpu: number;
}

/** What the generator process answers a job with. */
export type JobReply =
  | { readonly ok: true; readonly result: JobResult }
  | { readonly ok: false; readonly error: string };

import type { HostOptions } from "./host-options.ts";

/** A worker running on this machine, with all it needs. */
export interface LocalHost {
  readonly url: string;
  readonly adminToken: string;
  /** Process id of the program that serves `url`. */
  readonly workerPid: number;
  readonly postgresDir: string;
  /** Lets requests in flight end, then stops everything and gives the data folder free. */
  stop(): Promise<void>;
}

export interface HostEvents {
  /** A line from the worker or about it. */
  log(line: string): void;
  /** The worker can't be kept running: the host has to be stopped. */
  onGivingUp(): void;
}

/**
 * Starts everything, in order; what had been started is stopped again when a later step fails.
 * @param signal aborts a start that is under way
 */
export type StartHost = (options: HostOptions, events: HostEvents, signal: AbortSignal) => Promise<LocalHost>;

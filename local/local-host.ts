import type { Cleanup } from "./cleanup.ts";
import type { HostOptions } from "./host-options.ts";

/** Where a host is and what is there: what its user wants to know. */
export interface HostFacts {
  readonly url: string;
  readonly adminToken: string;
  /** Somebody chose the token; otherwise it was made and kept here. */
  readonly adminTokenGiven: boolean;
  readonly dataDir: string;
  /** Where the log of reliable calls is, in words. */
  readonly postgres: string;
}

/** A worker running on this machine, with all it needs. */
export interface LocalHost extends HostFacts {
  /** Process id of the program that serves `url`. */
  readonly workerPid: number;
}

export interface HostEvents {
  /** A line from the worker or about it. */
  log(line: string): void;
  /** The worker can't be kept running: the host has to be stopped. */
  onGivingUp(): void;
}

/**
 * Starts everything, in order. What ends it again is put on `cleanup`, also when a later step fails; it lets requests in flight end.
 * @param signal aborts a start that is under way
 */
export type StartHost = (
  options: HostOptions,
  events: HostEvents,
  cleanup: Cleanup,
  signal: AbortSignal,
) => Promise<LocalHost>;

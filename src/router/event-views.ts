/** What a partition has for one sink. */
export interface SinkStatus {
  readonly sink: string;
  /** Events that it has yet to get. */
  readonly waiting: number;
  /** Events that it did not take, and that wait for an operator. */
  readonly dead: number;
  /** Bytes of both, roughly. */
  readonly bytes: number;
  /** Why it did not take what it was given last; null while it takes all, or is not there. */
  readonly trouble: string | null;
}

/** An event for one of its sinks. */
export interface EventKey {
  readonly sink: string;
  readonly type: string;
  readonly id: string;
  readonly eventId: string;
}

/** An event that a sink did not take, or that waits for a sink which the host does not have. Without its data. */
export interface AsideEvent extends EventKey {
  readonly topic: string;
  /** When it was emitted, ms since the epoch. */
  readonly time: number;
  readonly bytes: number;
  /** Why it was set aside; null for one that waits for a sink. */
  readonly error: string | null;
}

/** A place in a partition's list of them. */
export type AsidePlace = [position: number, type: string, id: string, n: string];

export interface AsideQuery {
  /** Only events behind this place. */
  readonly after?: AsidePlace | undefined;
  readonly limit: number;
}

export interface AsideEvents {
  readonly events: readonly AsideEvent[];
  /** Where to go on; null at the end. */
  readonly next: AsidePlace | null;
}

/** To send an event once more, or to remove it. */
export type EventVerdict = "retry" | "drop";

/** What became of that: `found` is false for an event that nobody knows, and `refused` says why nothing was changed. */
export type EventDecision = { readonly found: boolean } | { readonly refused: string } | { readonly movedTo: string };

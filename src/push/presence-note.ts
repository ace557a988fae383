/** A client that takes part in a topic. */
export interface Member {
  readonly client: string;
  /** As whom it is known; null for one that is anonymous. */
  readonly id: string | null;
  /** Since when, ms since the epoch, by its gate's clock. */
  readonly at: number;
}

/** Who is on a topic: how many, and those who are there for longest, as many as fit. */
export interface MemberList {
  readonly count: number;
  readonly members: readonly Member[];
}

/**
 * What gates tell each other of a topic, whole: its newest state, never what has changed. A `report` says who is there at one
 * gate, to the gate that keeps the topic. A `view` says who is there in all, to the gates that have reported anybody.
 */
export interface PresenceNote extends MemberList {
  readonly kind: "report" | "view";
  readonly topic: string;
  /** Grows with each note of a gate: an older one that comes late is told by it. */
  readonly version: number;
}

export interface PresenceMessage {
  /** The gate that sends it. */
  readonly from: string;
  /** How many gates it knows of: with another number topics are kept elsewhere. */
  readonly gates: number;
  readonly notes: readonly PresenceNote[];
}

export interface PresenceReceipt {
  /** The newest version of a note here that some note was not above; 0: none. */
  readonly newest: number;
  /** Nothing was known here of the gate: it is to report again. */
  readonly forgotten: boolean;
}

/** The gates as a gate tells them who is there. */
export interface PresencePeers {
  readonly names: readonly string[];
  presence(gate: string, message: PresenceMessage): Promise<PresenceReceipt>;
}

/**
 * Members and characters of a list; topics in which a client takes part; ms for which one is still there that has lost its
 * connection; ms after which a gate that says nothing is taken for dead.
 */
export const PRESENCE = { listed: 500, characters: 48 * 1024, topics: 20, grace: 10_000, lease: 300_000 } as const;

/** Characters of a member in a list, about. */
const MEMBER = 80;

/** The list of those who are there. @param some of them, at least those who are there for longest */
export function listOf(count: number, some: readonly Member[]): MemberList {
  const sorted = some.toSorted(byArrival);
  let characters = 0;
  let length = 0;
  for (const { id } of sorted.slice(0, PRESENCE.listed)) {
    characters += MEMBER + (id?.length ?? 0);
    if (characters > PRESENCE.characters) break;
    length++;
  }
  return { count, members: sorted.slice(0, length) };
}

/** Who came first. Whoever sorts the same clients finds the same ones at the start. */
function byArrival(one: Member, other: Member): number {
  return one.at - other.at || (one.client < other.client ? -1 : 1);
}

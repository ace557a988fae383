import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { GateCounters } from "../observe/gate-counters.ts";
import type { Clock, Random } from "../platform/ports.ts";
import type { GateState } from "../settings/gate-states.ts";
import { hashOf, newClientId, newSecret, parseToken } from "./client-id.ts";
import { type Hello, welcomeFrame } from "./frames.ts";
import type { MessageLog } from "./message-log.ts";
import { Origins } from "./origins.ts";
import type { Wire, WireNote } from "./ports.ts";
import { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";
import type { Subscriptions } from "./subscriptions.ts";

interface Parts {
  readonly gate: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly hash?: typeof hashOf | undefined;
  readonly log: MessageLog;
  readonly sessions: SessionTable;
  readonly subscriptions: Subscriptions;
  readonly config: { readonly gateClients: number; readonly clientConnections: number };
  readonly state: () => GateState;
  readonly counters: GateCounters;
  /** The client comes by another connection: the one that it has ends. */
  readonly replace: (session: Session) => void;
  /** Its client has no connection any more. */
  readonly away: (session: Session) => void;
  readonly end: (session: Session) => void;
  /** It said no hello in time. */
  readonly late: (wire: Wire) => void;
}

interface Visitor {
  readonly identity: Identity | null;
  readonly at: number;
  readonly expires: number | undefined;
  readonly credential: string | undefined;
}

/** A client that has said hello: its session, with the token, and whether it goes on with it. */
export interface Arrival {
  readonly session: Session;
  readonly token: string;
  readonly resumed: boolean;
  readonly expires: number | undefined;
  readonly credential: string | undefined;
}

/** Ms that a client may take to say hello. */
const HELLO_WITHIN = 10_000;

/** Why a gate takes no new clients that is cordoned or drained: another one may. */
export const GATE_CLOSED = "GATE_CLOSED";

/** Ms between pings. */
const PING_EVERY = 30_000;

/** What a client is told that has said hello. */
export function welcomeText({ session, token, resumed }: Arrival, resumeWithin: number): string {
  const { client, position, topics } = session;
  return welcomeFrame({
    client,
    session: token,
    resumed,
    seen: position,
    topics: [...topics.keys()],
    ping: PING_EVERY,
    resumeWithin,
  });
}

/** Connections that have yet to say hello. */
export class Reception {
  readonly #parts: Parts;
  /** In the order in which they came. */
  readonly #visitors = new Map<Wire, Visitor>();
  /** Of all connections of the gate. */
  readonly origins: Origins;
  #watching = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.origins = new Origins(parts);
  }

  get size(): number {
    return this.#visitors.size;
  }

  get wires(): IterableIterator<Wire> {
    return this.#visitors.keys();
  }

  has(wire: Wire): boolean {
    return this.#visitors.has(wire);
  }

  /**
   * Whether another may come. A gate that is not active takes back those whose sessions it has, and nobody else.
   * @param client who it says it is
   * @param origin as that of a {@link Wire}
   * @throws EdgeverseError `OVERLOADED`; `UNAVAILABLE` with the reason `GATE_CLOSED`
   */
  checkRoom(connected: number, client: string, origin?: string): void {
    this.origins.check(origin, client);
    const { config, state, sessions, counters } = this.#parts;
    const isFull = connected + this.#visitors.size >= config.gateClients;
    if (!isFull && (state() === "active" || sessions.get(client) !== undefined)) return;
    counters.add("refused");
    if (isFull) throw this.#full();
    throw new EdgeverseError("UNAVAILABLE", "This gate takes no new clients", { reason: GATE_CLOSED, retryAfter: 1 });
  }

  open(wire: Wire, identity: Identity | null, expires: number | undefined, credential: string | undefined): void {
    this.origins.add(wire);
    const at = this.#parts.clock.now();
    const note = { kind: "new", identity: identity === null ? null : JSON.stringify(identity), at } as const;
    const ends = expires === undefined ? {} : { expires };
    wire.note({ ...note, ...ends, ...(credential === undefined ? {} : { credential }) });
    this.#visitors.set(wire, { identity, at, expires, credential });
    this.#watch();
  }

  restore(wire: Wire, { identity, at, expires, credential }: Extract<WireNote, { kind: "new" }>): void {
    const who = identity === null ? null : (JSON.parse(identity) as Identity);
    this.#visitors.set(wire, { identity: who, at, expires, credential });
  }

  forget(wire: Wire): void {
    this.origins.remove(wire);
    this.#visitors.delete(wire);
  }

  /** Those whom these credentials have let in. */
  of(credentials: ReadonlySet<string>): Wire[] {
    const isOne = (credential: string | undefined) => credential !== undefined && credentials.has(credential);
    return Array.from(this.#visitors).flatMap(([wire, { credential }]) => (isOne(credential) ? [wire] : []));
  }

  /** Lets go of those who have said nothing for too long. */
  look(): void {
    const oldest = this.#parts.clock.now() - HELLO_WITHIN;
    for (const [wire, { at }] of this.#visitors) if (at <= oldest) this.#parts.late(wire);
  }

  /** One timer for all: a process may have 10,000, and everybody comes at once when connections were lost. */
  #watch(): void {
    if (this.#watching) return;
    const [first] = this.#visitors.values();
    if (first === undefined) return;
    const { clock } = this.#parts;
    this.#watching = true;
    clock.after(first.at + HELLO_WITHIN - clock.now(), () => {
      this.#watching = false;
      this.look();
      this.#watch();
    });
  }

  /**
   * Gives the client its session: the one that it names, if the token is right and it is the same identity, else a new one.
   * @returns undefined when the connection has ended meanwhile
   * @throws EdgeverseError `OVERLOADED` when all sessions that there may be are connected
   */
  async hello(wire: Wire, hello: Hello): Promise<Arrival | undefined> {
    const { gate, random, hash: hashed = hashOf, log, sessions } = this.#parts;
    const given = parseToken(hello.session ?? "");
    const secret = newSecret(random);
    const [givenHash, hash] = await Promise.all([given && hashed(given.secret), hashed(secret)]);
    const visitor = this.#visitors.get(wire);
    if (visitor === undefined) return undefined;
    this.#visitors.delete(wire);
    const { identity, expires, credential } = visitor;
    const known = given === undefined ? undefined : sessions.get(given.client);
    if (known !== undefined && known.hash === givenHash && isSame(known.session.identity, identity))
      return {
        session: this.#resume(known.session, identity, hello),
        token: hello.session as string,
        resumed: true,
        expires,
        credential,
      };
    this.#makeRoom();
    const { head } = log;
    const client = newClientId(gate, random);
    const session = new Session({ client, identity, started: head, position: head, topics: new Map() });
    sessions.add(session, hash);
    return { session, token: `${client}.${secret}`, resumed: false, expires, credential };
  }

  /** It goes on from where the client says, with the topics that it may still listen to. */
  #resume(session: Session, identity: Identity | null, { seen = 0 }: Hello): Session {
    const { log, sessions, subscriptions, replace, away } = this.#parts;
    replace(session);
    session.identity = identity;
    session.position = Math.min(log.head, Math.max(session.position, seen));
    try {
      subscriptions.check(session, identity);
      sessions.connected(session);
    } catch (error) {
      away(session); // The storage fails: neither connection has it now.
      throw error;
    }
    return session;
  }

  /** Whoever is away longest gives its place. */
  #makeRoom(): void {
    const { sessions, config, end } = this.#parts;
    if (sessions.count < config.gateClients) return;
    const [first] = sessions.over(Number.MAX_SAFE_INTEGER, 1);
    if (first === undefined) throw this.#full();
    end(first);
  }

  #full(): EdgeverseError {
    const { gateClients } = this.#parts.config;
    return new EdgeverseError("OVERLOADED", `This gate has its ${gateClients} clients`, { retryAfter: 30 });
  }
}

/** The same user may come back with other roles; nobody else may take over a session. */
function isSame(one: Identity | null, other: Identity | null): boolean {
  return one?.id === other?.id;
}

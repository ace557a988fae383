import { hashRange } from "../../identity/hash-order.ts";
import type { Registry } from "../../object/registry.ts";
import type { MovedRow, ReshardReply } from "../../placement/move.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { Connect } from "../../router/ports.ts";
import type { ReliableCalls } from "../calls/reliable-calls.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Ownership } from "../storage/ownership.ts";
import type { Activations } from "../turns/activations.ts";
import type { TurnActivation } from "../turns/turn.ts";
import type { TurnEngine } from "../turns/turn-engine.ts";
import { IncomingMoves } from "./incoming-moves.ts";
import { OutgoingMoves } from "./outgoing-moves.ts";
import { reshard } from "./reshard.ts";
import { ShardCleaner } from "./shard-cleaner.ts";
import { ShardDrain } from "./shard-drain.ts";
import type { ShardWork } from "./shard-work.ts";

interface Parts {
  readonly ownership: Ownership;
  readonly changes: ChangeTracker;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly activations: Activations;
  readonly engine: TurnEngine;
  readonly reliable: ReliableCalls;
  readonly work: ShardWork;
  readonly commit: GroupCommit;
  readonly connect: Connect;
  readonly config: { readonly callTimeout: number };
  /** There are rows to clear away, or none any more. */
  readonly onClearing: (busy: boolean) => void;
  readonly deactivate: (activation: TurnActivation) => void;
  /** Rows of a shard have come, and are this partition's: goes on with what is to be done for them. */
  readonly resume: (shard: number) => void;
  /** A shard has become another partition's. */
  readonly onLeft: (shard: number) => void;
  /** A shard has become this partition's. */
  readonly onOwned: (shard: number) => void;
  /** Rows of a shard have come; told in the transaction that stores them. */
  readonly onRows: (shard: number, rows: readonly MovedRow[]) => void;
  readonly onError: (error: unknown) => void;
}

/** Everything about moving shards at one partition. */
export class ShardMoves {
  readonly outgoing: OutgoingMoves;
  readonly incoming: IncomingMoves;
  readonly #cleaner: ShardCleaner;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { storage, clock, ownership, onOwned, resume, onError } = parts;
    this.#cleaner = new ShardCleaner({
      storage,
      clock,
      ownership,
      onError,
      onStart: () => parts.onClearing(true),
      onEnd: () => parts.onClearing(false),
    });
    const farewells = parts.registry.types.some(({ hooks }) => hooks.has("onDeactivate"));
    const shared = { ...parts, cleaner: this.#cleaner };
    this.outgoing = new OutgoingMoves({ ...shared, drain: new ShardDrain({ ...parts, farewells }) });
    this.incoming = new IncomingMoves({
      ...shared,
      onOwned: (shard) => {
        resume(shard);
        onOwned(shard);
      },
    });
  }

  /** Whether rows of shards that have left are still there. */
  get cleaning(): boolean {
    return this.#cleaner.busy;
  }

  /** Goes on with what an earlier process of the partition left. */
  resume(): void {
    const { ownership, changes } = this.#parts;
    for (const [shard, { state }] of ownership.records) {
      // Every write must be noted, also before the coordinator asks for the move again.
      if (state.kind === "leaving") changes.begin(shard, hashRange(shard, ownership.shards));
    }
    if (this.#cleaner.busy) this.#cleaner.start();
  }

  /** Doubles or halves the shard count at this partition. */
  reshard(shards: number, version: number): ReshardReply {
    const { storage, ownership, clock, activations, registry, commit } = this.#parts;
    if (this.outgoing.busy) return { kind: "refused", reason: "a hand-off has yet to end" };
    // What an object has only sent, and not committed yet, is in no table, and the object is not in use.
    commit.flush();
    const perShard = registry.types.filter((definition) => definition.objectClass.autoLoad === "shard");
    const reply = reshard(storage, ownership, { shards, version }, clock.now(), {
      perShard: perShard.map((definition) => definition.type),
      busy: inUse(activations.all()),
    });
    if (reply.kind === "refused" && this.#cleaner.busy) this.#cleaner.start();
    return reply;
  }

  stop(): void {
    this.outgoing.stop();
    this.incoming.stop();
    this.#cleaner.stop();
  }
}

/** The activations that are in use: a turn runs or waits, a call is pending, or a write is due. Lazy. */
function* inUse(activations: Iterable<TurnActivation>): Generator<TurnActivation> {
  for (const activation of activations)
    if (activation.dirty || activation.pendingCalls > 0 || !activation.mailbox.idle) yield activation;
}

import { plan } from "../placement/plan.ts";
import type { Plan, PlanInput, PlanMember, PlanShard, Policy } from "../placement/plan-types.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import type { ClusterMap, MemberRow, ShardState } from "./cluster-map.ts";
import type { DecisionView } from "./commands.ts";
import type { Loads } from "./loads.ts";
import type { MoveJournal } from "./move-journal.ts";
import type { Silence } from "./silence.ts";
import { count, counters } from "./tables.ts";

interface Parts {
  readonly map: ClusterMap;
  readonly journal: MoveJournal;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly silence: Silence;
  readonly loads: Loads;
}

/** Decisions kept. */
const KEPT = 1_000;
/** Reasons for which the planner may say something else later, and when to ask again. */
const ASK_AGAIN: Readonly<Record<string, number>> = {
  cooldown: 30_000,
  window: 60_000,
  concurrency: 1_000,
};

/** Looks at the cluster, asks the planner, and enters what it says into the journal ([PLAN1–4]). */
export class Rebalancer {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The plan as of now, with `changes` to the policy, and as if a member were as `supposed`. */
  propose(changes: Partial<Policy> = {}, supposed?: MemberRow): Plan {
    const { policy, clock } = this.#parts;
    return plan(this.#input(supposed), { ...policy, ...changes }, clock.now());
  }

  /**
   * Plans and enters the moves. Returns ms until it is worth asking again, or undefined when only a change is.
   * @param trigger what made it plan, for the history
   */
  rebalance(
    trigger: string,
    changes: Partial<Policy> = {},
  ): { readonly plan: Plan; readonly again: number | undefined } {
    const { map, journal, storage, clock } = this.#parts;
    const made = this.propose(changes);
    const putOff = [...map.notes.values()].filter((note) => this.#isPutOff(note));
    const retry = { reason: "retry", count: putOff.length, detail: "undone lately, to be tried again" } as const;
    const entered: Plan = putOff.length === 0 ? made : { ...made, skipped: [...made.skipped, retry] };
    const { moves } = entered;
    storage.transaction(() => {
      for (const { shard, from, to, reason, detail } of moves)
        journal.plan({ shard, shards: map.shards, from, to, mapVersion: map.version }, reason, detail);
      this.#remember(trigger, entered);
    });
    const reasons = entered.skipped.map(({ reason }) => reason as string);
    const waits = reasons.flatMap((reason) => ASK_AGAIN[reason] ?? []);
    const first = putOff.reduce((at, { retryAt }) => Math.min(at, retryAt), Number.POSITIVE_INFINITY);
    if (putOff.length > 0) waits.push(first - clock.now() + 1);
    if (reasons.includes("unstable")) waits.push(Math.max(1, { ...this.#parts.policy, ...changes }.stableFor));
    const again = waits.length === 0 ? undefined : Math.min(...waits);
    return { plan: entered, again };
  }

  decisions(limit: number): DecisionView[] {
    return this.#parts.storage
      .query<{ at: number; cause: string; moves: number; skipped: string }>(
        "SELECT at, cause, moves, skipped FROM decisions ORDER BY seq DESC LIMIT ?",
        limit,
      )
      .map(({ at, cause, moves, skipped }) => ({ at, trigger: cause, moves, skipped: JSON.parse(skipped) }));
  }

  get decisionCounts(): Record<string, number> {
    return counters(this.#parts.storage, "decisions.");
  }

  #remember(trigger: string, { moves, skipped }: Plan): void {
    const { storage, clock } = this.#parts;
    for (const { reason } of skipped) count(storage, `decisions.${reason}`);
    for (const { reason } of moves) count(storage, `decisions.move-${reason}`);
    storage.query(
      "INSERT INTO decisions (at, cause, moves, skipped) VALUES (?, ?, ?, ?)",
      clock.now(),
      trigger,
      moves.length,
      JSON.stringify(skipped.slice(0, 32)),
    );
    storage.query(
      "DELETE FROM decisions WHERE seq <= (SELECT seq FROM decisions ORDER BY seq DESC LIMIT 1 OFFSET ?)",
      KEPT,
    );
  }

  #input(supposed?: MemberRow): PlanInput {
    const { map, journal, silence } = this.#parts;
    const supposedBase = supposed === undefined ? undefined : map.baseIf(supposed);
    const loads = this.#parts.loads.present;
    const held = [...journal.open.values()].filter(({ state }) => state.phase !== "dropping");
    const moving = new Map(held.map((move) => [move.order.shard, move]));
    const shards = Array.from({ length: map.shards }, (_, shard): PlanShard => {
      const note = map.notes.get(shard);
      const base = supposedBase?.[shard % supposedBase.length] ?? map.base(shard);
      const load = loads.get(shard);
      const owner = map.owner(shard);
      const move = moving.get(shard);
      // One that is taken back stays where it is.
      const movingTo = move?.state.phase === "undoing" ? undefined : move?.order.to;
      return {
        shard,
        base,
        owner,
        pinned: note?.pinned === true,
        // Nobody decided that the shard is here: only the base assignment has changed.
        held: note?.why === "held" || (supposed !== undefined && (note?.why ?? null) === null),
        // What can't move now must not take the place of what can.
        moving: move !== undefined || this.#waits(note, owner),
        lastMoved: note?.movedAt ?? null,
        ...(movingTo === undefined ? {} : { movingTo }),
        ...(note?.pinnedTo === null || note?.pinnedTo === undefined ? {} : { pinnedTo: note.pinnedTo }),
        ...(load === undefined ? {} : { load }),
      };
    });
    const others = map.members.filter(({ name }) => name !== supposed?.name);
    const members = (supposed === undefined ? others : [...others, supposed]).map(
      ({ name, weight, labels, state, since }) => ({
        name,
        weight,
        labels,
        since,
        state: stateInPlan(state, silence.has(name)),
      }),
    );
    // The driver caps moves under way; the bound here keeps the list of planned moves short.
    return { members, shards, inFlight: 0 };
  }

  /** Whether a shard can't move for now: it was put off, or a partition it concerns is silent. */
  #waits(note: ShardState | undefined, owner: string): boolean {
    const { silence } = this.#parts;
    if (silence.has(owner)) return true;
    return note !== undefined && (this.#isPutOff(note) || (note.pinnedTo !== null && silence.has(note.pinnedTo)));
  }

  /** Whether the shard's last move was undone lately. */
  #isPutOff({ retryAt }: ShardState): boolean {
    return retryAt > this.#parts.clock.now();
  }
}

/** A silent partition is given nothing. */
function stateInPlan(state: MemberRow["state"], silent: boolean): PlanMember["state"] {
  if (state === "removed") return "draining";
  return silent && state === "active" ? "cordoned" : state;
}

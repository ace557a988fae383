import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Plan, Policy } from "../placement/plan-types.ts";
import { assertNever } from "../placement/shard-state.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import { changeGate } from "./change-gate.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { AdminCommand, MemberCommand, MemberView, MoveView, Operator, ShardNote } from "./commands.ts";
import type { Membership } from "./membership.ts";
import type { MoveDriver } from "./move-driver.ts";
import type { MoveJournal } from "./move-journal.ts";
import type { PlannedRest } from "./plan-schedule.ts";
import type { Rebalancer } from "./rebalancer.ts";
import type { Resharder } from "./resharder.ts";
import type { SettingsDesk } from "./settings-desk.ts";
import type { GateSettings } from "./settings-views.ts";

interface Parts {
  readonly map: ClusterMap;
  readonly journal: MoveJournal;
  readonly members: Membership;
  readonly rebalancer: Rebalancer;
  readonly resharder: Resharder;
  readonly driver: Pick<MoveDriver, "apply">;
  readonly desk: Pick<SettingsDesk, "run" | "newest">;
  readonly gates: GateSettings | undefined;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly policy: Pick<Policy, "cooldown">;
  /** Something changed that the planner should look at. */
  readonly onChanged: (trigger: string) => void;
  /** Moves were entered in the journal. `rest`: what the plan was made with, and when it is worth making another. */
  readonly onOrdered: (rest?: PlannedRest) => void;
}

/** Settings that plans go by. */
const PLANNED_BY = /^\/settings($|\/(rebalance|placement|move|stableFor))/;

/** Carries out an operator's commands. Each changes all it should, or throws an `EdgeverseError` and changes nothing. */
export class CommandRunner {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  run(command: AdminCommand, operator: Operator): unknown {
    const { members, rebalancer, resharder, desk, onChanged, onOrdered } = this.#parts;
    switch (command.kind) {
      case "add-partition":
      case "change-partition":
      case "cordon":
      case "uncordon":
      case "drain":
        return this.#change(command);
      case "remove-partition": {
        this.#checkReshard();
        const view = members.remove(command.name);
        onChanged("membership");
        return view;
      }
      case "move-shard":
        return this.#move(command.shard, command.to);
      case "cancel-move":
        return this.#cancel(command.move, command.force);
      case "pin-shard":
        return this.#pin(command.shard, command.partition);
      case "unpin-shard":
        return this.#unpin(command.shard);
      case "rebalance": {
        const changes = {
          ...(command.strategy === undefined ? {} : { strategy: command.strategy }),
          // An operator who asks now means now.
          stableFor: 0,
        };
        if (command.dryRun) return { ...rebalancer.propose(changes), dryRun: true };
        this.#checkReshard();
        const { plan, again } = rebalancer.rebalance("operator", changes);
        onOrdered({ plan, again, changes });
        return { ...plan, dryRun: false };
      }
      case "shard-count": {
        const view = resharder.begin(command.count, command.dryRun);
        if (!command.dryRun) onChanged("shard count");
        return { ...view, dryRun: command.dryRun };
      }
      case "cordon-gate":
      case "uncordon-gate":
      case "drain-gate": {
        const result = changeGate(this.#parts, command, operator);
        if (result.changed) onOrdered();
        return result;
      }
      case "put-settings":
      case "rollback-settings": {
        const result = desk.run(command, operator);
        if (!result.changed) return result;
        if (result.changes.some(({ path }) => PLANNED_BY.test(path))) onChanged("settings");
        // Others are to hear of it.
        else onOrdered();
        return result;
      }
      default:
        return assertNever(command);
    }
  }

  #change(command: MemberCommand): MemberView | (Plan & { readonly dryRun: true }) {
    const { map, members, rebalancer, onChanged } = this.#parts;
    this.#checkReshard();
    const member = members.next(command);
    // Everything that would follow, not only the first batch of it.
    if (command.dryRun) return { ...rebalancer.propose({ stableFor: 0, batch: map.shards }, member), dryRun: true };
    const view = members.write(member);
    onChanged("membership");
    return view;
  }

  #move(shard: number, to: string): MoveView {
    const { map, journal, onOrdered } = this.#parts;
    this.#checkShard(shard);
    this.#checkReshard();
    this.#checkTarget(to);
    const from = map.owner(shard);
    const { pinned, pinnedTo } = map.note(shard);
    if (from === to) throw new EdgeverseError("CONFLICT", `Shard ${shard} is at ${to} already`);
    if (pinned && pinnedTo !== to) throw new EdgeverseError("CONFLICT", `Shard ${shard} is pinned`);
    const present = journal.of(shard);
    if (present !== undefined && present.state.phase !== "planned") {
      throw new EdgeverseError("CONFLICT", `Shard ${shard} is moving to ${present.order.to} already`, {
        details: { move: present.order.id, phase: present.state.phase },
      });
    }
    const move = this.#parts.storage.transaction(() => {
      if (present !== undefined) {
        journal.advance(present, { ...present.state, phase: "undone", reason: "an operator ordered another" });
      }
      const order = { shard, shards: map.shards, from, to, mapVersion: map.version };
      return journal.plan(order, "operator", "ordered by an operator");
    });
    onOrdered();
    return journal.view(move);
  }

  /** [MIG8] Up to the commit point, which the source alone knows. */
  #cancel(id: number, force: boolean): MoveView {
    const { map, journal, driver, clock, policy } = this.#parts;
    const move = journal.find(id);
    if (move === undefined) throw new EdgeverseError("NOT_FOUND", `There is no move ${id}`);
    const { order, state } = move;
    const refuse = (why: string) =>
      new EdgeverseError("CONFLICT", `Cannot cancel move ${id}: ${why}`, { details: { move: id, phase: state.phase } });
    switch (state.phase) {
      case "done":
      case "undone":
        throw refuse(`it has ended and is ${state.phase}`);
      case "committed":
        throw refuse(`shard ${order.shard} is ${order.to}'s already; move it back when that is done`);
      case "undoing":
        if (force) throw refuse(`only ${order.from} knows whether it was committed, and has not said`);
        return journal.view(move);
      case "dropping":
        return journal.view(force ? driver.apply(move, { kind: "forced" }) : move);
      case "planned":
      case "copying": {
        const note = map.note(order.shard);
        // A plan would order it again.
        map.write({ ...note, retryAt: Math.max(note.retryAt, clock.now() + policy.cooldown) });
        return journal.view(driver.apply(move, { kind: "give up", reason: "cancelled by an operator" }));
      }
      default:
        return assertNever(state.phase);
    }
  }

  #pin(shard: number, partition: string | undefined): ShardNote {
    const { map, journal, storage, onChanged } = this.#parts;
    this.#checkShard(shard);
    this.#checkReshard();
    if (partition !== undefined) this.#checkTarget(partition);
    const move = journal.of(shard);
    const away = move !== undefined && move.order.to !== (partition ?? map.owner(shard)) ? move : undefined;
    if (away !== undefined && away.state.phase !== "planned") {
      throw new EdgeverseError("CONFLICT", `Shard ${shard} is moving to ${away.order.to}; pin it when that is done`, {
        retryable: true,
        retryAfter: 1,
        details: { move: away.order.id, phase: away.state.phase },
      });
    }
    storage.transaction(() => {
      if (away !== undefined) journal.advance(away, { ...away.state, phase: "undone", reason: "the shard was pinned" });
      map.write({ ...map.note(shard), pinned: true, pinnedTo: partition ?? null });
    });
    onChanged("pin");
    return this.#note(shard);
  }

  #unpin(shard: number): ShardNote {
    const { map, storage, onChanged } = this.#parts;
    this.#checkShard(shard);
    const note = map.note(shard);
    if (!note.pinned) return this.#note(shard);
    storage.transaction(() => {
      map.write({ ...note, pinned: false, pinnedTo: null, why: note.why === "pin" ? "operator" : note.why });
    });
    onChanged("pin");
    return this.#note(shard);
  }

  #note(shard: number): ShardNote {
    const { retryAt: _, ...note } = this.#parts.map.note(shard);
    return note;
  }

  #checkShard(shard: number): void {
    const { shards } = this.#parts.map;
    if (Number.isInteger(shard) && shard >= 0 && shard < shards) return;
    throw new EdgeverseError("NOT_FOUND", `No such shard: the cluster has ${shards}, numbered from 0`);
  }

  #checkTarget(name: string): void {
    const { state } = this.#parts.map.member(name);
    if (state === "draining") throw new EdgeverseError("CONFLICT", `Partition "${name}" is being drained`);
  }

  #checkReshard(): void {
    if (!this.#parts.resharder.busy) return;
    throw new EdgeverseError("CONFLICT", "The shard count is being changed; try again when that is done", {
      retryable: true,
      retryAfter: 1,
    });
  }
}

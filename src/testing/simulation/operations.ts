import type { AdminCommand } from "../../coordinator/commands.ts";
import { placementOf, shardOf } from "../../identity/object-id.ts";
import type { PartitionClient } from "../../router/ports.ts";
import { invocation } from "../platform-limits.ts";
import type { Clients } from "./clients.ts";
import { shardsOf } from "./owner-checks.ts";
import type { PushStep } from "./push/push-step.ts";
import type { Machine } from "./sim-machine.ts";
import type { Step } from "./step.ts";
import type { CoordinatorClient, Edge, World } from "./world.ts";

type Operation = Exclude<Step, { kind: "call" | "again" | PushStep["kind"] }>;

/** Troubles, and an operator's commands. */
export class Operations {
  readonly #world: World;
  readonly #clients: Clients;
  readonly #operator: Edge;
  readonly coordinator: CoordinatorClient;
  /** Objects with calls that were parked and taken up again. */
  readonly unparked = new Set<string>();
  #requests = 0;

  constructor(world: World, clients: Clients) {
    this.#world = world;
    this.#clients = clients;
    this.#operator = world.edge("operator");
    this.coordinator = world.network.client(this.#operator.process, "coordinator");
  }

  run(step: Operation): void {
    const world = this.#world;
    world.trace(`operation ${JSON.stringify(step)}`);
    switch (step.kind) {
      case "crash":
        this.#partition(step.machine).crash();
        return;
      case "usurp":
        this.#partition(step.machine).usurp();
        return;
      case "crash at commit": {
        const machine = this.#any(step.machine);
        machine.disk.afterCommits(step.commits, () => world.time.after(step.delay, () => machine.crash()));
        return;
      }
      case "ambush":
        world.network.ambushes.lay(step.ambush);
        return;
      case "crash coordinator":
        world.coordinator.crash();
        return;
      case "deploy":
        world.deployed = true;
        for (const [index, machine] of world.partitions.entries()) {
          world.time.after(index * step.apart, () => machine.crash());
        }
        return;
      case "freeze": {
        this.#any(step.machine).process?.freeze(world.time.now + step.ms);
        return;
      }
      case "cut":
        world.network.cut(this.#any(step.one).name, this.#endpoint(step.other), world.time.now + step.ms);
        return;
      case "log away":
        world.log.down = true;
        world.time.after(step.ms, () => {
          world.log.down = false;
        });
        return;
      case "log slow":
        world.logDelay = 300;
        world.time.after(step.ms, () => {
          world.logDelay = 2;
        });
        return;
      case "write fails":
        this.#any(step.machine).disk.failNext = true;
        return;
      case "disk full":
      case "disk broken": {
        const { disk } = this.#any(step.machine);
        disk.trouble = step.kind === "disk full" ? "full" : "broken";
        world.time.after(step.ms, () => {
          disk.trouble = undefined;
        });
        return;
      }
      case "forget map":
        this.#clients.forget(step.edge);
        return;
      case "cron":
        this.cron();
        return;
      default:
        this.#command(step);
    }
  }

  /** What cron does. */
  cron(): void {
    const maintenance = this.#world.maintenance(this.#operator);
    void invocation(() => maintenance.reconcile()).catch(() => undefined);
    this.wake();
  }

  /** What cron does every hour: it asks the log nothing. */
  wake(): void {
    const { process, router } = this.#operator;
    const known = new Set([...router.map.partitions, ...this.#world.partitions.map(({ name }) => name)]);
    for (const name of known) {
      void this.#world.network
        .client<PartitionClient>(process, name)
        .wake()
        .catch(() => undefined);
    }
    this.retryParked();
  }

  /** What an operator does with parked calls: those that can't be stored stay. */
  retryParked(): void {
    const { process } = this.#operator;
    for (const { name, disk } of this.#world.partitions) {
      if (shardsOf(disk) === undefined) continue;
      const parked = disk.query<{ type: string; id: string; call_id: string }>(
        "SELECT type, id, call_id FROM pending WHERE status = 'parked' AND method <> 'poison'",
      );
      for (const { type, id, call_id: callId } of parked) {
        const client = this.#world.network.client<PartitionClient>(process, name);
        this.unparked.add(id);
        client.unpark(type, id, callId).catch(() => undefined);
      }
    }
  }

  /** Trouble ends: whatever was frozen, cut or away is back. */
  heal(): void {
    const { network, log, machines } = this.#world;
    network.heal();
    log.down = false;
    this.#world.logDelay = 2;
    for (const machine of machines.values()) {
      machine.bury();
      machine.disk.failNext = false;
      machine.disk.trouble = undefined;
      machine.disk.afterCommits(Number.POSITIVE_INFINITY, () => undefined);
      machine.process?.thaw();
    }
  }

  #command(
    step: Exclude<
      Operation,
      {
        kind:
          | "crash"
          | "crash at commit"
          | "ambush"
          | "usurp"
          | "write fails"
          | "disk full"
          | "disk broken"
          | "freeze"
          | "cut"
          | "log away"
          | "log slow"
          | "forget map"
          | "cron"
          | "crash coordinator"
          | "deploy";
      }
    >,
  ): void {
    void this.#commandOf(step)
      .then(async (command) => {
        if (command === undefined) return;
        const answer = await this.coordinator.execute(command, {
          actor: "simulation",
          requestId: `o${this.#requests++}`,
        });
        this.#world.trace(`operator ${JSON.stringify(command)}: ${answer.ok ? "done" : answer.error.message}`);
      })
      .catch((error: unknown) => this.#world.trace(`operator ${step.kind}: ${error}`));
  }

  async #commandOf(step: Parameters<Operations["run"]>[0]): Promise<AdminCommand | undefined> {
    const map = await this.coordinator.map();
    const shards = map?.shards ?? this.#world.genesis.shards;
    const shard = (object: string) => shardOf(placementOf(object) as never, shards);
    const names = (map?.members ?? this.#world.genesis.members).map(({ name }) => name);
    const name = (index: number) => names[index % names.length] as string;
    switch (step.kind) {
      case "move":
        return { kind: "move-shard", shard: shard(step.object), to: name(step.to) };
      case "pin":
        return {
          kind: "pin-shard",
          shard: shard(step.object),
          partition: step.to === undefined ? undefined : name(step.to),
        };
      case "cancel": {
        const [move] = await this.coordinator.moves({ limit: 1, active: true, shard: shard(step.object) });
        this.#world.forced ||= step.force;
        return move === undefined ? undefined : { kind: "cancel-move", move: move.id, force: step.force };
      }
      case "unpin":
        return { kind: "unpin-shard", shard: shard(step.object) };
      case "add": {
        const { spare } = this.#world.settings;
        return { kind: "add-partition", name: spare[step.partition % spare.length] as string };
      }
      case "cordon":
      case "drain":
      case "uncordon":
        return { kind: step.kind, name: name(step.partition) };
      case "remove":
        return { kind: "remove-partition", name: name(step.partition) };
      case "rebalance":
        return { kind: "rebalance", dryRun: false };
      case "shard count":
        return { kind: "shard-count", count: Math.min(16, Math.max(1, shards * step.factor)), dryRun: false };
      default:
        return undefined;
    }
  }

  #partition(index: number): Machine {
    const { partitions } = this.#world;
    return partitions[index % Math.max(1, partitions.length)] ?? this.#world.machine("p0");
  }

  /** A partition, or the coordinator. */
  #any(index: number): Machine {
    return index === 4 ? this.#world.coordinator : this.#partition(index);
  }

  #endpoint(index: number): string {
    if (index < 4) return this.#partition(index).name;
    if (index === 4) return "coordinator";
    return index === 5 ? "log" : this.#clients.edge(0).process.name;
  }
}

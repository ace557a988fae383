import type { Clients } from "../clients.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import { Listener } from "./listener.ts";
import { checkPush, checkViews } from "./push-checks.ts";
import type { PushStep } from "./push-step.ts";
import { Says } from "./says.ts";

/** Messages are kept for ten minutes, if there is room. */
const KEPT = 9 * 60_000;
/** Ms that lost news of a watched object may take, and at a time. */
const RENEWED = 300_000;
const ROUND = 5_000;

/** Clients that listen, and what befalls them and the gates. */
export class PushRun {
  readonly says: Says;
  readonly listeners: readonly Listener[];
  readonly #world: World;

  constructor(world: World, clients: Clients, random: Random) {
    this.#world = world;
    this.says = new Says(world, clients);
    const { push, objects, config } = world.settings;
    const mayForget = () => push?.forgetful === true || world.time.now > KEPT;
    const parts = { time: world.time, gates: world.gates, resume: config.pushResume, rooms: objects, mayForget };
    this.listeners = (push?.listeners ?? []).map(
      (plan, index) => new Listener(plan, { ...parts, random: random.fork(`listener ${index}`) }),
    );
  }

  run(step: PushStep): void {
    const world = this.#world;
    world.trace(`push ${JSON.stringify(step)}`);
    switch (step.kind) {
      case "say": {
        const said = this.says.begin(
          step,
          this.listeners.map(({ story }) => story?.client),
        );
        if ("edge" in step.via) this.says.byEdge(said, step.via.edge);
        else this.listeners[step.via.listener]?.call(said);
        return;
      }
      case "listener":
        this.listeners[step.listener]?.[step.deed]();
        return;
      case "gate ambush":
        world.network.ambushes.lay(step.ambush);
        return;
      case "gate":
        this.#befall(step);
    }
  }

  /** After the end of all trouble. */
  heal(): void {
    for (const listener of this.listeners) listener.heal();
  }

  /** Whether all that was asked for is answered, everybody is back, and every session that has ended is told of. */
  get isQuiet(): boolean {
    if (!this.listeners.every(({ isSettled }) => isSettled)) return false;
    if (this.says.all.some(({ outcome }) => outcome === undefined)) return false;
    const present = new Set(this.listeners.flatMap((one) => (one.isConnected ? [one.story?.client] : [])));
    return this.#world.gates.machines.every(
      ({ disk }) =>
        disk.query("SELECT 1 FROM farewells LIMIT 1").length === 0 &&
        disk.query<{ client: string }>("SELECT client FROM sessions").every(({ client }) => present.has(client)),
    );
  }

  /** @throws Violation */
  async check(run: (ms: number) => Promise<void>): Promise<void> {
    if (this.listeners.length === 0) return;
    const { time } = this.#world;
    for (const end = time.now + RENEWED; time.now < end && !this.#isNewest; ) await run(ROUND);
    checkPush(this.#world, this.says.all, this.listeners);
  }

  get #isNewest(): boolean {
    try {
      checkViews(this.#world, this.listeners);
      return true;
    } catch {
      return false;
    }
  }

  #befall({ gate, deed, n, ms }: Extract<PushStep, { kind: "gate" }>): void {
    const world = this.#world;
    const machine = world.machine(world.gates.names[gate] as string);
    const { time } = world;
    switch (deed) {
      case "crash":
        machine.crash();
        return;
      case "hibernate":
        world.gates.hibernate(machine.name);
        return;
      case "usurp":
        machine.usurp();
        return;
      case "crash at commit":
        machine.disk.afterCommits(n, () => time.after(0, () => machine.crash()));
        return;
      case "write fails":
        if (machine.process?.alive === true) machine.disk.failNext = true;
        return;
      case "freeze":
        machine.process?.freeze(time.now + ms);
        return;
      case "cut": {
        const { partitions } = world;
        const other = partitions[n % Math.max(1, partitions.length)];
        if (other !== undefined) world.network.cut(machine.name, other.name, time.now + ms);
        return;
      }
      case "disk":
        machine.disk.trouble = n % 2 === 0 ? "full" : "broken";
        time.after(ms, () => {
          machine.disk.trouble = undefined;
        });
    }
  }
}

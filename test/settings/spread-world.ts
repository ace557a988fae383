import { configSchema } from "../../src/config/config.ts";
import type { SettingsView } from "../../src/coordinator/commands.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import type { Partition } from "../../src/partition/partition.ts";
import type { VersionedDocument } from "../../src/settings/document.ts";
import { LiveSettings } from "../../src/settings/live-settings.ts";
import { Random } from "../../src/testing/simulation/random.ts";
import { type CoordinatorClient, type Edge, World } from "../../src/testing/simulation/world.ts";
import { instead } from "../simulation/plant.ts";

class Thing extends VirtualObject {
  static override readonly type = "Thing";
  static override readonly methods = { touch: method() };
  touch() {}
}

const OBJECTS = ["a", "b", "c", "d", "e", "f"];
const NAMES = ["p0", "p1", "q0"];
/** Ms in which things go wrong, and after which everybody that is asked must have the newest settings. */
const TROUBLED = 8_000;
const WITHIN = 5_000;

const DEEDS = ["lost", "answer lost", "late", "twice", "sender ends", "receiver ends", "answered, then ends"] as const;

/** Everything that befalls a cluster while its settings change, under one seed. Gives what is wrong in the end. */
export async function spreadStory(seed: number, trace: (what: string) => void = () => undefined): Promise<string[]> {
  const random = new Random(seed);
  const weather = {
    lost: random.pick([0, 0.1, 0.3]),
    late: random.pick([0, 0.7]),
    twice: random.pick([0, 0.2]),
    delay: random.pick([1, 30, 300]),
  };
  const config = configSchema.parse({
    partitions: 2,
    shards: 4,
    rebalance: "count",
    stableFor: "300ms",
    moveCooldown: "500ms",
    callTimeout: "3s",
  });
  const world = new World(
    {
      focus: "all",
      config,
      parks: false,
      authors: false,
      push: undefined,
      partitions: 2,
      spare: ["q0"],
      objects: [],
      durability: random.chance(0.7) ? "barrier" : "gate",
      weather,
      hooks: 0,
      slowness: random.pick([0.04, 0.4]),
      skew: random.pick([0, 60]),
      withLog: false,
      duration: TROUBLED,
      calls: 0,
      operations: 0,
    },
    random.fork("world"),
    trace,
    [Thing],
  );
  const story = new SpreadStory(world, random);
  const remove = instead(
    LiveSettings.prototype,
    "apply",
    (real) =>
      function (this: LiveSettings, offer) {
        // The coordinator has no types; what it has may be lost before anybody hears of it.
        if (this.hasTypes) story.heard(offer);
        return real.call(this, offer);
      },
  )();
  try {
    return await story.run();
  } finally {
    remove();
    world.close();
  }
}

class SpreadStory {
  readonly #world: World;
  readonly #random: Random;
  readonly #edges: Edge[] = [];
  /** What operators were told: the greatest version. */
  #told = 0;
  #requests = 0;
  readonly #faults: string[] = [];
  readonly #heard = new Map<number, string>();

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    for (const name of ["e0", "e1"]) this.#edges.push(world.edge(name));
  }

  /** A process has heard of a version: under one number all must hear the same. */
  heard({ version, document }: VersionedDocument): void {
    const text = JSON.stringify(document);
    const known = this.#heard.get(version) ?? text;
    this.#heard.set(version, known);
    if (known !== text) this.#faults.push(`two documents have the number ${version}`);
  }

  async run(): Promise<string[]> {
    const { time, network } = this.#world;
    const random = this.#random.fork("steps");
    const steps = 20 + random.int(30);
    for (let n = 0; n < steps; n++) time.at(random.between(0, TROUBLED), () => this.#step(random));
    await time.run(TROUBLED, () => true);
    network.heal();
    for (const machine of this.#world.machines.values()) {
      machine.process?.thaw();
      machine.bury();
    }
    for (const { process } of this.#edges) process.thaw();
    // Partitions are told, though nobody calls them; routers learn when they are used.
    await time.run(TROUBLED + WITHIN, () => true);
    await this.#check("partitions");
    for (let at = 0; at < WITHIN; at += 500) time.at(TROUBLED + WITHIN + at, () => this.#callAll());
    await time.run(TROUBLED + 2 * WITHIN, () => true);
    await this.#check("everybody");
    return this.#faults;
  }

  #step(random: Random): void {
    const { network, time, coordinator } = this.#world;
    const machine = this.#world.machine(random.pick(NAMES.slice(0, 2)));
    const other = random.pick([...NAMES, "e0"]);
    const deeds = {
      put: () => this.#put(random),
      call: () => this.#call(random.pick(this.#edges), random.pick(OBJECTS)),
      crash: () => machine.crash(),
      "crash coordinator": () => coordinator.crash(),
      usurp: () => machine.usurp(),
      freeze: () => machine.process?.freeze(time.now + random.between(10, 4_000)),
      cut: () => network.cut("coordinator", other, time.now + random.between(10, 9_000)),
      "cut edge": () => network.cut("e0", random.pick(NAMES), time.now + random.between(10, 3_000)),
      ambush: () =>
        network.ambushes.lay({
          method: random.pick(["configure", "bootstrap"]),
          deed: random.pick(DEEDS),
          spares: random.int(3),
        }),
      add: () => void this.#order({ kind: "add-partition", name: "q0" }),
      edge: () => this.#newEdge(random),
    };
    const weights = {
      put: 8,
      call: 10,
      crash: 4,
      "crash coordinator": 5,
      usurp: 1,
      freeze: 2,
      cut: 3,
      "cut edge": 1,
      ambush: 4,
      add: 1,
      edge: 1,
    };
    deeds[random.weighted(weights)]();
  }

  #newEdge(random: Random): void {
    const place = random.int(this.#edges.length);
    this.#edges[place]?.process.end();
    this.#edges[place] = this.#world.edge(`e${this.#requests++ + 10}`);
  }

  #put(random: Random): void {
    const document = { settings: { mailbox: 1 + random.int(1_000) } };
    const rollback = random.chance(0.15) && this.#told > 1;
    const change = { dryRun: false };
    void this.#order(
      rollback
        ? { kind: "rollback-settings", version: 1 + random.int(this.#told), ...change }
        : { kind: "put-settings", document, ...change },
    );
  }

  async #order(command: Parameters<CoordinatorClient["execute"]>[0]): Promise<void> {
    try {
      const { process } = this.#edges[0] as Edge;
      const operator = { actor: "test", requestId: "r" };
      const answer = await this.#coordinator(process).execute(command, operator);
      if (answer.ok && command.kind.endsWith("-settings"))
        this.#told = Math.max(this.#told, (answer.result as VersionedDocument).version);
    } catch {
      // The operator does not know.
    }
  }

  #coordinator(process: Edge["process"]): CoordinatorClient {
    return this.#world.network.client<CoordinatorClient>(process, "coordinator");
  }

  #call({ process, router, follower, config }: Edge, id: string): void {
    const deadline = process.clock.now() + config.callTimeout;
    const from = { requestId: `r${this.#requests++}`, caller: { kind: "worker" } } as const;
    void router.call({ type: "Thing", id, method: "touch", deadline, ...from }).then(() => follower.served());
  }

  #callAll(): void {
    for (const edge of this.#edges) for (const id of OBJECTS) this.#call(edge, id);
  }

  async #check(who: "partitions" | "everybody"): Promise<void> {
    const service = this.#world.coordinator.running()?.service as CoordinatorClient | undefined;
    const newest = (await service?.settings()) as SettingsView;
    if (newest.version < this.#told) this.#faults.push(`version ${this.#told} is lost`);
    for (const { name } of newest.receipts ?? []) {
      const process = this.#world.machine(name).running();
      const partition = (process?.service["partition"] as unknown as (() => Partition) | undefined)?.();
      if (partition?.bootstrapped !== true) continue;
      await partition.core();
      this.#compare(`${who}: ${name}`, partition.settings.live, newest);
    }
    if (who === "partitions") return;
    for (const { process, settings } of this.#edges) this.#compare(`${who}: ${process.name}`, settings, newest);
  }

  #compare(who: string, { applied, config }: LiveSettings, newest: VersionedDocument): void {
    const mailbox = newest.document.settings?.["mailbox"] ?? 1_000;
    if (applied.version !== newest.version) this.#faults.push(`${who} has ${applied.version}, not ${newest.version}`);
    else if (config.mailbox !== mailbox) this.#faults.push(`${who} has another version ${newest.version}`);
  }
}

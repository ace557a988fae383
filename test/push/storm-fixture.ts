import * as z from "zod";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { Random } from "../../src/testing/simulation/random.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import type { TestConnection } from "../../src/testing/test-connection.ts";

class Room extends VirtualObject.withState(z.object({ said: z.number().default(0) })) {
  static override readonly type = "Room";
  static override readonly methods = { say: method({ request: z.object({ lines: z.number() }) }) };

  say({ lines }: { lines: number }) {
    for (let line = 0; line < lines; line++) {
      this.state.said += 1;
      this.publish(`room/${this.id}`, { room: this.id, n: this.state.said, text: "x".repeat(500) });
    }
    return this.state.said;
  }
}

const ROOMS = ["a", "b", "c"];
const STEPS = 40;

/** One client: what it has got of each room, and whether it was told since that something may be missing. */
class Listener {
  readonly connection: TestConnection;
  readonly #got = new Map<string, { n: number; gap: boolean }>(ROOMS.map((room) => [room, { n: 0, gap: false }]));

  constructor(connection: TestConnection) {
    this.connection = connection;
  }

  async take(): Promise<void> {
    while (this.connection.waiting > 0 && this.connection.isOpen) {
      const { kind, data } = await this.connection.next();
      if (kind === "gap") for (const seen of this.#got.values()) seen.gap = true;
      else this.#heard(data as { room: string; n: number });
    }
  }

  #heard({ room, n }: { room: string; n: number }): void {
    const seen = this.#got.get(room) as { n: number; gap: boolean };
    if (n <= seen.n) throw new Error(`message ${n} of room ${room} came after ${seen.n}`);
    if (n > seen.n + 1 && !seen.gap)
      throw new Error(`after message ${seen.n} of room ${room} came ${n}, and no gap was told`);
    this.#got.set(room, { n, gap: false });
  }

  /** @param said how many messages each room has sent */
  checkEnd(said: ReadonlyMap<string, number>): void {
    for (const [room, { n, gap }] of this.#got) {
      const last = said.get(room) ?? 0;
      if (n !== last && !gap)
        throw new Error(`the last message of room ${room} is ${last}; ${n} was seen, and no gap was told`);
    }
  }
}

/**
 * Rooms talk while partitions, gates and connections end, gates can't be reached or have disks that fail, and shards move.
 * Each client must get each message once and in order, or be told of a gap.
 *
 * @returns how many gaps could have been: whether the gates were to forget messages
 * @throws Error saying what went wrong
 */
export async function storm(seed: number): Promise<void> {
  const random = new Random(seed);
  const forgetful = random.chance(0.4);
  using cluster = new TestCluster({
    objects: [Room],
    partitions: 2,
    config: { gates: 2, ...(forgetful ? { pushLog: 6_000 } : {}) },
  });
  const listeners: Listener[] = [];
  for (let index = 0; index < 4; index++)
    listeners.push(
      new Listener(await cluster.connect({ topics: index % 2 === 0 ? ["room/*"] : ROOMS.map((id) => `room/${id}`) })),
    );
  const said = new Map<string, number>();
  for (let step = 0; step < STEPS; step++) {
    const id = random.pick(ROOMS);
    const listener = random.pick(listeners);
    const { connection } = listener;
    const what = random.pick([
      "say",
      "say",
      "say",
      "gate",
      "partition",
      "commit",
      "cut",
      "disk",
      "move",
      "wait",
    ] as const);
    if (what === "gate")
      cluster.crash(random.pick(["g0", "g1"]), random.chance(0.3) ? {} : { afterCommits: random.between(1, 3) });
    if (what === "partition") cluster.crash(cluster.ownerOf(Room, id));
    if (what === "commit") cluster.crash(cluster.ownerOf(Room, id), { afterCommits: random.between(1, 3) });
    if (what === "disk") cluster.storage(random.pick(["g0", "g1"])).failing = new Error("a disk fails");
    if (what === "cut" && connection.isOpen) connection.cut();
    if (what === "move") await cluster.move(Room, id, { to: random.pick(["p0", "p1"]) }).catch(() => undefined);
    if (what === "wait") await cluster.clock.advance(random.between(1, 3_000));
    if (what === "say") {
      const room = cluster.object(Room, id, { callId: `step-${step}` });
      const total = await again(() => room.say({ lines: random.between(1, 4) }));
      said.set(id, total);
    }
    if (random.chance(0.3)) for (const gate of ["g0", "g1"]) cluster.storage(gate).failing = undefined;
    if (!connection.isOpen && random.chance(0.5) && cluster.storage("g0").failing === undefined)
      await connection.resume().catch(() => undefined);
    if (random.chance(0.7)) await listener.take();
  }
  for (const gate of ["g0", "g1"]) cluster.storage(gate).failing = undefined;
  for (const { connection } of listeners) if (!connection.isOpen) await connection.resume();
  for (let round = 0; round < 40; round++) {
    await cluster.clock.advance(1_000);
    for (const listener of listeners) await listener.take();
  }
  for (const listener of listeners) listener.checkEnd(said);
}

async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

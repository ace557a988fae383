import { vi } from "vitest";
import { Random } from "../../src/testing/simulation/random.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import type { TestConnection } from "../../src/testing/test-connection.ts";
import { TestGates } from "../../src/testing/test-gates.ts";

const GATES = ["g0", "g1", "g2"];
const TOPICS = ["room/a", "room/b", "room/c"];
const CLIENTS = 6;
const STEPS = 40;
/** Ms after which everybody knows. */
const QUIET = 20_000;

/** One client: where it takes part. */
interface Actor {
  connection: TestConnection;
  readonly topics: Set<string>;
}

/**
 * Clients take part in topics and go, connections break, gates end, and messages between gates are lost, or come once more and
 * late. When all has been quiet every client must know exactly who takes part.
 *
 * @throws Error saying what went wrong
 */
export async function presenceStorm(seed: number): Promise<void> {
  const random = new Random(seed);
  using cluster = new TestCluster({ objects: [], config: { gates: GATES.length } });
  const network = unreliable(random);
  try {
    const actors: Actor[] = [];
    for (let index = 0; index < CLIENTS; index++)
      actors.push({ connection: await cluster.connect(), topics: new Set() });
    for (let step = 0; step < STEPS; step++) {
      await act(cluster, random, random.pick(actors));
      if (random.chance(0.6)) await cluster.clock.advance(random.pick([1, 50, 150, 400, 3_000, 12_000]));
      if (random.chance(0.2)) await network.late();
    }
    network.heal();
    for (const actor of actors) if (random.chance(0.8)) await connected(actor);
    await cluster.clock.advance(QUIET);
    await network.late();
    await cluster.clock.advance(QUIET);
    check(actors);
  } finally {
    network.heal();
  }
}

async function act(cluster: TestCluster, random: Random, actor: Actor): Promise<void> {
  const topic = random.pick(TOPICS);
  const what = random.pick(["in", "in", "in", "out", "cut", "back", "back", "leave", "gate", "commit"] as const);
  if (what === "gate" || what === "commit") {
    cluster.crash(random.pick(GATES), what === "gate" ? {} : { afterCommits: random.between(1, 5) });
    return;
  }
  if (what === "back") return connected(actor);
  if (!actor.connection.isOpen) return;
  if (what === "cut") actor.connection.cut();
  if (what === "leave") {
    actor.connection.leave();
    actor.connection.lost();
    actor.topics.clear();
    actor.connection = await cluster.connect().catch(() => actor.connection);
  }
  if (what === "in") {
    actor.topics.add(topic);
    actor.connection.subscribe(topic, { presence: true });
  }
  if (what === "out") {
    actor.topics.delete(topic);
    if (random.chance(0.5)) actor.connection.unsubscribe(topic);
    else actor.connection.subscribe(topic, { presence: false });
  }
}

async function connected({ connection }: Actor): Promise<void> {
  for (let tries = 0; tries < 5 && !connection.isOpen; tries++)
    await connection.resume().catch(() => connection.lost());
}

function check(actors: readonly Actor[]): void {
  for (const topic of TOPICS) {
    const open = actors.filter(({ connection }) => connection.isOpen);
    const there = open.filter(({ topics }) => topics.has(topic)).map(({ connection }) => connection.client);
    for (const { connection, topics } of open) {
      const seen = connection.presence(topic);
      const known = Array.from(seen?.here.keys() ?? []).sort();
      const expected = topics.has(topic) ? there.toSorted() : [];
      if (known.join() !== expected.join() || (seen?.count ?? 0) !== expected.length)
        throw new Error(`${connection.client} knows ${known} on ${topic}, where are ${expected}`);
    }
  }
}

/** Gates that reach each other badly. */
function unreliable(random: Random) {
  const { presence } = TestGates.prototype;
  const copies: (() => Promise<unknown>)[] = [];
  let healed = false;
  const spy = vi.spyOn(TestGates.prototype, "presence").mockImplementation(async function (
    this: TestGates,
    to,
    message,
  ) {
    if (healed) return presence.call(this, to, message);
    if (random.chance(0.3)) copies.push(() => presence.call(this, to, message).catch(() => undefined));
    if (random.chance(0.15)) throw new Error("lost");
    const receipt = await presence.call(this, to, message);
    if (random.chance(0.15)) throw new Error("the answer was lost");
    return receipt;
  });
  return {
    /** What was sent before comes once more, the newest first. */
    async late() {
      for (const copy of copies.toReversed()) await copy();
      copies.splice(0, copies.length - 20);
    },
    heal() {
      if (healed) spy.mockRestore();
      healed = true;
    },
  };
}

import * as z from "zod";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { Random } from "../../src/testing/simulation/random.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import type { TestConnection } from "../../src/testing/test-connection.ts";
import type { TestWatch } from "../../src/testing/test-watch.ts";

const STATE = z.object({
  bids: z.array(z.number()).default([]),
  note: z.string().default(""),
  secret: z.string().default("s"),
});
type State = z.output<typeof STATE>;

/** Clients see its bids and its note. */
export class Board extends VirtualObject.withState(STATE) {
  static override readonly type = "Board";
  static override readonly access = { anonymous: true, delete: { anonymous: true } };
  static override readonly live = { anonymous: true, view: ({ bids, note }: State) => ({ bids, note }) };
  static override readonly methods = {
    bid: method({ request: z.object({ n: z.number() }) }),
    write: method({ request: z.object({ note: z.string() }) }),
    refuse: method({ request: z.object({ n: z.number() }) }),
    hide: method(),
  };

  bid({ n }: { n: number }) {
    this.state.bids.push(n);
  }

  write({ note }: { note: string }) {
    this.state.note = note;
  }

  refuse({ n }: { n: number }) {
    this.state.bids.push(n);
    throw this.fail("NO", "no");
  }

  hide() {
    this.state.secret += "!";
  }
}

const OBJECTS = ["a", "b", "c"];
/** What may be deleted, and begin anew with no bids. */
const DELETED = "c";
const STEPS = 40;

interface Seen {
  readonly watch: TestWatch<{ bids: number[]; note: string }>;
  readonly connection: TestConnection;
  readonly id: string;
  /** The last bid that it has shown; bids grow. */
  last: number;
}

/**
 * Clients watch objects that change, are deleted, and move, while partitions, gates and connections end, disks fail, and some
 * clients read nothing for a while. What a client has is never older than what it had, and was committed; in the end it is what
 * the object is.
 *
 * @throws Error saying what went wrong
 */
export async function liveStorm(seed: number): Promise<void> {
  const random = new Random(seed);
  using cluster = new TestCluster({ objects: [Board], partitions: 2, config: { gates: 2 } });
  const seen: Seen[] = [];
  const connections: TestConnection[] = [];
  /** Bids that calls have been told of, or that may have run. */
  const asked = new Map<string, Set<number>>(OBJECTS.map((id) => [id, new Set()]));
  for (let index = 0; index < 3; index++) {
    const connection = await cluster.connect();
    connections.push(connection);
    for (const id of OBJECTS) seen.push({ watch: connection.watch(Board, id), connection, id, last: 0 });
  }
  const look = () => {
    for (const one of seen) {
      const { state, refused } = one.watch;
      if (refused !== undefined) throw new Error(`the watch of ${one.id} ended: ${refused}`);
      if (state === undefined) continue;
      const last = state.bids.at(-1) ?? 0;
      if (last < one.last && one.id !== DELETED) throw new Error(`${one.id} was at ${one.last} and is older: ${last}`);
      one.last = last;
      for (const bid of state.bids)
        if (asked.get(one.id)?.has(bid) !== true) throw new Error(`${one.id} shows ${bid}, which was not committed`);
    }
  };
  let bids = 0;
  for (let step = 0; step < STEPS; step++) {
    const id = random.pick(OBJECTS);
    const connection = random.pick(connections);
    const owner = cluster.ownerOf(Board, id);
    const board = cluster.object(Board, id);
    const what = random.pick([
      ..."bbbbbbwh",
      "refuse",
      "gate",
      "partition",
      "commit",
      "cut",
      "disk",
      "move",
      "slow",
      "delete",
      "wait",
    ]);
    if (what === "gate")
      cluster.crash(random.pick(["g0", "g1"]), random.chance(0.5) ? {} : { afterCommits: random.between(1, 3) });
    if (what === "partition") cluster.crash(owner);
    if (what === "commit") cluster.crash(owner, { afterCommits: random.between(1, 3) });
    if (what === "disk") cluster.storage(owner).failing = new Error("a disk fails");
    if (what === "cut" && connection.isOpen) connection.cut();
    if (what === "slow") connection.reads = !connection.reads;
    if (what === "move") await cluster.move(Board, id, { to: random.pick(["p0", "p1"]) }).catch(() => undefined);
    if (what === "wait") await cluster.clock.advance(1 + random.int(3_000));
    if (what === "delete" && id === DELETED) await cluster.delete(Board, id).catch(() => undefined);
    if (what === "w") await board.write({ note: random.pick(["", "x".repeat(300)]) }).catch(() => undefined);
    if (what === "h") await board.hide().catch(() => undefined);
    if (what === "refuse") await board.refuse({ n: 1_000_000 + step }).catch(() => undefined);
    if (what === "b") {
      bids++;
      asked.get(id)?.add(bids);
      await board.bid({ n: bids }).catch(() => undefined);
    }
    if (random.chance(0.3)) for (const name of ["p0", "p1"]) cluster.storage(name).failing = undefined;
    if (!connection.isOpen && random.chance(0.5)) await connection.resume().catch(() => undefined);
    if (random.chance(0.5)) await cluster.clock.advance(1 + random.int(50));
    look();
  }
  for (const name of ["p0", "p1"]) cluster.storage(name).failing = undefined;
  for (const connection of connections) {
    connection.reads = true;
    connection.read();
  }
  // Two looks of the gates: what they can have missed they ask for.
  for (let round = 0; round < 6; round++) {
    // A crash that was to come after some commits may come now.
    for (const connection of connections) if (!connection.isOpen) await connection.resume();
    await cluster.clock.advance(round < 3 ? 90_000 : 1_000);
    look();
  }
  for (const { watch, connection, id } of seen) {
    if (!connection.isOpen) throw new Error("a client that reads was cut off");
    const storage = cluster.storage(cluster.ownerOf(Board, id));
    const [row] = storage.query<{ state: string }>("SELECT state FROM objects WHERE id = ?", id);
    const { bids: there, note } =
      row === undefined ? { bids: undefined, note: undefined } : (STATE.parse(JSON.parse(row.state)) as State);
    const wanted = row === undefined ? undefined : JSON.stringify({ bids: there, note });
    const has = watch.state === undefined ? undefined : JSON.stringify(watch.state);
    if (has !== wanted) throw new Error(`${id} is ${wanted}, and a client has ${has}`);
  }
}

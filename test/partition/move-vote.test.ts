import { type MoveVote, method, type ShardMove, VirtualObject } from "edgeverse";
import { beforeEach, expect, test } from "vitest";
import { Box, clock } from "./move-fixture.ts";
import { shardOf } from "./order-fixture.ts";

let asked: ShardMove[];
let vote: MoveVote | undefined;
beforeEach(() => {
  asked = [];
});

class Voter extends VirtualObject {
  static override readonly type = "Voter";
  static override readonly methods = { touch: method() };
  touch() {
    this.store.put("k", 1);
  }
  static override onMove(move: ShardMove) {
    asked.push(move);
    return vote as MoveVote;
  }
}

/** A shard with a Box, and with a Voter on it if there is to be one. */
async function setup(voter = true) {
  const made = await shardOf(["a"], [Voter, Box]);
  if (voter) await made.made.call("Voter", "v", "touch");
  return made;
}

test.each([[undefined], ["allow"]] as const)("[MIG7] a vote of %s lets the shard go", async (given) => {
  const { advance, order, from, to } = await setup();
  vote = given;
  expect(await advance(order(1))).toMatchObject({ kind: "committed" });
  expect(asked).toEqual([{ shard: 0, from, to }]);
});

test("[MIG7] a veto refuses the move, a delay says when to ask again", async () => {
  const { advance, order, state } = await setup();
  vote = "veto";
  expect(await advance(order(1))).toEqual({ kind: "refused", reason: "Voter vetoes the move" });
  const reason = expect.stringContaining("delay of");
  vote = { delay: "5s" };
  expect(await advance(order(2))).toEqual({ kind: "refused", reason, delay: 5_000 });
  vote = { delay: "soon" };
  expect(await advance(order(3))).toEqual({ kind: "refused", reason, delay: 60_000 });
  expect(state()).toEqual({ kind: "owned", epoch: 1 });
});

test("[MIG7] a type without an object on the shard is not asked", async () => {
  const { made, from, advance, order } = await setup(false);
  await made.call("Voter", `partition#${from}/v`, "touch");
  vote = "veto";
  expect(await advance(order(1))).toMatchObject({ kind: "committed" });
  expect(asked).toEqual([]);
});

test("[MIG7] nobody is asked once the copy has begun", async () => {
  const { advance, order, atTarget } = await setup();
  vote = "allow";
  atTarget(async () => ({ kind: "busy", reason: "later" }));
  await advance(order(1));
  vote = "veto";
  atTarget((_, rest) => rest());
  await clock.advance(10);
  expect(await advance(order(1))).toMatchObject({ kind: "committed" });
  expect(asked).toHaveLength(1);
});

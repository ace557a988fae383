import { describe, expect, test } from "vitest";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { Board, liveStorm } from "./live-fixture.ts";

const clusterOf = (config = {}) =>
  new TestCluster({ objects: [Board], partitions: 2, config: { gates: 2, ...config } });

describe("live state", () => {
  test("[PUSH11] a client gets the state, then what changes, and nothing of what its view leaves out", async () => {
    using cluster = clusterOf();
    const board = cluster.object(Board, "a");
    await board.bid({ n: 1 });
    const ann = await cluster.connect();
    const watch = ann.watch(Board, "a");
    await cluster.clock.advance(5);
    expect(watch.state).toEqual({ bids: [1], note: "" });
    await board.write({ note: "x".repeat(100) });
    await board.bid({ n: 2 });
    await cluster.clock.advance(5);
    await board.hide();
    await cluster.clock.advance(5);
    expect(watch.state).toEqual({ bids: [1, 2], note: "x".repeat(100) });
    expect(watch.came).toEqual(["state", "state", "patch"]);
  });
});

describe("under crashes, moves and slow clients", () => {
  test.each([1, 2, 3])(
    "[PUSH11] what clients have is committed, never older, and in the end the object: seed %i",
    liveStorm,
  );
});

import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Match, Matchmaking, Player } from "../../examples/match.ts";
import { delivered } from "./delivered.ts";

const cluster = () => new TestCluster({ objects: [Match, Matchmaking, Player], partitions: 2 });

/** Players who look for a match. */
async function play(cluster: TestCluster, ...players: string[]): Promise<void> {
  for (const player of players) await cluster.object(Player, player).play({ queue: "east" });
  await delivered(cluster);
}

describe("Match", () => {
  test("two who wait play each other, and the next one waits", async () => {
    const it = cluster();
    await play(it, "ann", "bob", "cy");
    const players = [
      { player: "ann", lives: 3 },
      { player: "bob", lives: 3 },
    ];
    expect(await it.object(Match, "east-1").view()).toEqual({ players, winner: null });
    expect(await it.object(Player, "bob").view()).toMatchObject({ status: "playing", match: "east-1" });
    expect(await it.object(Player, "cy").view()).toMatchObject({ status: "waiting" });
    expect(await it.object(Matchmaking, "east").view()).toEqual({ waiting: "cy", matches: 1 });
  });

  test("[CALL7] a match ends with the third hit, and both players count it once, crashes or not", async () => {
    const it = cluster();
    await play(it, "ann", "bob");
    for (const callId of ["first", "first", "second", "third"]) {
      await it.object(Match, "east-1", { callId }).hit({ player: "bob" });
      for (const partition of ["p0", "p1"]) it.crash(partition);
    }
    await delivered(it);
    expect(await it.object(Match, "east-1").view()).toMatchObject({ winner: "ann" });
    const record = { status: "idle", match: "east-1" };
    expect(await it.object(Player, "ann").view()).toEqual({ ...record, wins: 1, losses: 0 });
    expect(await it.object(Player, "bob").view()).toEqual({ ...record, wins: 0, losses: 1 });
    const late = it.object(Match, "east-1").hit({ player: "ann" });
    await expect(late).rejects.toMatchObject({ code: "CALL_FAILED", reason: "MATCH_OVER" });
    await play(it, "bob", "ann");
    expect(await it.object(Player, "bob").view()).toMatchObject({ status: "playing", match: "east-2" });
  });

  test("nobody waits twice, waits while he plays, or is hit where he does not play", async () => {
    const it = cluster();
    await play(it, "ann");
    await expect(play(it, "ann")).rejects.toMatchObject({ reason: "BUSY" });
    await play(it, "bob");
    await expect(play(it, "ann")).rejects.toMatchObject({ reason: "BUSY" });
    await expect(it.object(Match, "east-1").hit({ player: "eve" })).rejects.toMatchObject({ reason: "NOT_IN_MATCH" });
    await expect(it.object(Match, "none").hit({ player: "ann" })).rejects.toMatchObject({ reason: "NOT_IN_MATCH" });
  });

  test("[CALL7] clients can't count a match, or begin one", async () => {
    const it = cluster();
    for (const [type, method, request] of [
      ["Player", "matchEnded", { won: true }],
      ["Player", "matchBegan", { match: "mine" }],
      ["Match", "begin", { players: ["ann", "bob"] }],
      ["Matchmaking", "enter", { player: "ann" }],
    ] as const)
      await expect(it.call(type, "ann", method, request, { client: true })).rejects.toMatchObject({
        code: "METHOD_NOT_FOUND",
      });
  });

  test.each(["", "east/1", "x".repeat(65)])("a queue has a short plain name, not %j", async (queue) => {
    await expect(cluster().object(Player, "ann").play({ queue })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { TicTacToe } from "../../examples/tic-tac-toe.ts";

/** A game of Ann and Bob. */
async function begun() {
  const cluster = new TestCluster({ objects: [TicTacToe] });
  const game = cluster.object(TicTacToe, "g");
  for (const player of ["ann", "bob"]) await game.join({ player });
  const play = async (...cells: number[]) => {
    for (const cell of cells) {
      const { next } = await game.view();
      await game.play({ player: next ?? "nobody", cell });
    }
    return game.view();
  };
  return { cluster, game, play };
}

describe("TicTacToe", () => {
  test("the first of two players begins, and they take turns", async () => {
    const { game } = await begun();
    expect(await game.view()).toMatchObject({ status: "running", next: "ann" });
    const early = game.play({ player: "bob", cell: 4 });
    await expect(early).rejects.toMatchObject({ code: "CALL_FAILED", reason: "NOT_YOUR_TURN" });
    expect(await game.play({ player: "ann", cell: 4 })).toMatchObject({ next: "bob" });
    const { board } = await game.play({ player: "bob", cell: 0 });
    expect(board).toEqual(["O", null, null, null, "X", null, null, null, null]);
  });

  test.each([
    ["a row", [3, 0, 4, 1, 5], "ann"],
    ["a column", [0, 2, 1, 5, 3, 8], "bob"],
    ["a diagonal", [0, 1, 4, 2, 8], "ann"],
    ["the other diagonal", [0, 2, 1, 4, 8, 6], "bob"],
  ])("%s wins, and then the game is over", async (_, cells, winner) => {
    const { game, play } = await begun();
    expect(await play(...cells.slice(0, -1))).toMatchObject({ status: "running", winner: null });
    expect(await play(...cells.slice(-1))).toMatchObject({ status: "won", winner, next: null });
    const late = game.play({ player: winner === "ann" ? "bob" : "ann", cell: 7 });
    await expect(late).rejects.toMatchObject({ reason: "GAME_OVER" });
  });

  test("a full board without a line is a draw; one whose last cell makes a line is not", async () => {
    const drawn = await begun();
    expect(await drawn.play(0, 1, 2, 4, 3, 5, 7, 6, 8)).toMatchObject({ status: "drawn", winner: null, next: null });
    const won = await begun();
    expect(await won.play(0, 1, 2, 3, 4, 5, 7, 6, 8)).toMatchObject({ status: "won", winner: "ann" });
  });

  test("a cell is taken once, nobody joins as a third, and nobody plays alone", async () => {
    const { cluster, game, play } = await begun();
    await play(4);
    await expect(game.play({ player: "bob", cell: 4 })).rejects.toMatchObject({ reason: "CELL_TAKEN" });
    await expect(game.join({ player: "eve" })).rejects.toMatchObject({ reason: "GAME_FULL" });
    expect(await game.join({ player: "ann" })).toMatchObject({ players: ["ann", "bob"] });

    const lonely = cluster.object(TicTacToe, "lonely");
    await lonely.join({ player: "ann" });
    await expect(lonely.play({ player: "ann", cell: 0 })).rejects.toMatchObject({ reason: "NO_OPPONENT" });
  });

  test.each([-1, 9, 0.5])("there is no cell %d", async (cell) => {
    const { game } = await begun();
    await expect(game.play({ player: "ann", cell })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

import { method, type RequestOf, VirtualObject } from "edgeverse";
import * as z from "zod";

const player = z.string().min(1).max(64);

const state = z.object({
  /** The first one plays X, the second one O. */
  players: z.array(player).default([]),
  /** Row by row. */
  board: z.array(z.enum(["X", "O"]).nullable()).default(() => Array.from({ length: 9 }, () => null)),
});

const LINES = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
] as const;

/** A game of two. The invariants: players take turns, a cell is taken once, and nothing changes after the end. */
export class TicTacToe extends VirtualObject.withState(state) {
  static override readonly type = "TicTacToe";
  static override readonly live = { anonymous: true, view: gameOf };
  static override readonly methods = {
    join: method({ request: z.object({ player }) }),
    play: method({ request: z.object({ player, cell: z.number().int().min(0).max(8) }) }),
    view: method({ readonly: true }),
  };

  join({ player }: RequestOf<typeof TicTacToe.methods.join>) {
    const { players } = this.state;
    if (!players.includes(player)) {
      if (players.length === 2) this.fail("GAME_FULL", `${players.join(" and ")} play here`);
      players.push(player);
    }
    return this.view();
  }

  play({ player, cell }: RequestOf<typeof TicTacToe.methods.play>) {
    const { status, next } = this.view();
    if (status === "waiting") this.fail("NO_OPPONENT", "the game begins when two players have joined");
    if (status !== "running") this.fail("GAME_OVER", "the game is over");
    if (player !== next) this.fail("NOT_YOUR_TURN", `it is the turn of ${next}`);
    if (this.state.board[cell] !== null) this.fail("CELL_TAKEN", `cell ${cell} is taken`);
    this.state.board[cell] = player === this.state.players[0] ? "X" : "O";
    return this.view();
  }

  view() {
    return gameOf(this.state);
  }
}

/** The game, as everybody may see it. */
function gameOf({ players, board }: z.output<typeof state>) {
  const [x = null, o = null] = players;
  const taken = board.filter((mark) => mark !== null).length;
  const line = LINES.find(([a, b, c]) => board[a] !== null && board[a] === board[b] && board[b] === board[c]);
  const winner = line === undefined ? null : board[line[0]] === "X" ? x : o;
  const status = o === null ? "waiting" : winner !== null ? "won" : taken === 9 ? "drawn" : "running";
  return { players, board, status, winner, next: status !== "running" ? null : taken % 2 === 0 ? x : o };
}

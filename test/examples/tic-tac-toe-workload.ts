import type { Workload } from "edgeverse/testing";
import { TicTacToe } from "../../examples/tic-tac-toe.ts";
import { deedsOf, repeated, same } from "./repeated.ts";

const PLAYERS = ["ann", "bob", "eve"];
type Board = readonly ("X" | "O" | null)[];

/** A move that was taken, and the board as the player saw it afterwards. */
type Move =
  | { readonly game: string; readonly player: string; readonly cell: number; readonly board: Board }
  | undefined;

const taken = (board: Board) => board.filter((mark) => mark !== null).length;

/** Games that begin one after the other, with players who do not wait for their turn. */
export default {
  objects: [TicTacToe],
  calls: 60,
  async call({ object, random, n }): Promise<Move> {
    const game = `g${Math.floor(n / 15)}`;
    const player = random.pick(PLAYERS);
    const table = object(TicTacToe, game, { callId: `c${n}` });
    if (random.chance(0.2)) {
      await repeated(random, () => table.join({ player }));
      return undefined;
    }
    const { next, board } = await object(TicTacToe, game, { callId: `view-${n}` }).view();
    const free = board.flatMap((mark, cell) => (mark === null ? [cell] : []));
    const fair = next !== null && random.chance(0.7);
    const move = fair ? { player: next, cell: random.pick(free) } : { player, cell: random.int(9) };
    const played = await repeated(random, () => table.play(move));
    return "refused" in played ? undefined : { game, ...move, board: played.board };
  },

  async check({ object, answers }) {
    const all = deedsOf(answers);
    for (const game of new Set(all.map((move) => move.game))) {
      const { players, board, status, winner } = await object(TicTacToe, game).view();
      const moves = all.filter((move) => move.game === game).sort((a, b) => taken(a.board) - taken(b.board));
      same(`the moves of ${game}, as they were answered`, moves.length, taken(board));
      const replayed: ("X" | "O" | null)[] = board.map(() => null);
      for (const [number, move] of moves.entries()) {
        same(`who made move ${number} of ${game}`, move.player, players[number % 2]);
        same(`the cell of move ${number} of ${game}`, replayed[move.cell], null);
        replayed[move.cell] = number % 2 === 0 ? "X" : "O";
        same(`the board after move ${number} of ${game}`, move.board, replayed);
      }
      same(`the board of ${game}`, board, replayed);
      if (status === "won") same(`who has won ${game}`, winner, moves.at(-1)?.player);
      if (status === "drawn") same(`the moves of ${game}`, moves.length, 9);
    }
  },
} satisfies Workload<Move>;

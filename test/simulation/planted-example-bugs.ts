import { Auction } from "../../examples/auction.ts";
import { Match, Player } from "../../examples/match.ts";
import { Product } from "../../examples/order.ts";
import { TicTacToe } from "../../examples/tic-tac-toe.ts";
import { instead, type PlantedBug } from "./plant.ts";
import { OUTBOX_BUGS } from "./planted-outbox-bugs.ts";
import { REMINDER_BUGS } from "./planted-reminder-bugs.ts";

const again = OUTBOX_BUGS["messages are sent again under another id"] as PlantedBug;
const lost = OUTBOX_BUGS["a message is removed before its receiver has it"] as PlantedBug;

/** Bugs that the workloads of the examples must find by themselves: some in the examples, some below them. */
export const ORDER_BUGS: Readonly<Record<string, PlantedBug>> = {
  "what a cancelled order had reserved stays reserved": {
    plant: instead(Product.prototype, "release", () => () => undefined),
    within: 20,
  },
  "a message is removed before its receiver has it": lost,
};

export const MATCH_BUGS: Readonly<Record<string, PlantedBug>> = {
  "the loser of a match has won it as well": {
    plant: instead(
      Player.prototype,
      "matchEnded",
      (real) =>
        function (this: Player) {
          real.call(this, { won: true });
        },
    ),
    within: 20,
  },
  "a match begins again when a player is hit": {
    plant: instead(
      Match.prototype,
      "hit",
      (real) =>
        function (this: Match, request) {
          const { players } = real.call(this, request);
          this.begin({ players: players.map(({ player }) => player) });
          return this.view();
        },
    ),
    within: 20,
  },
  "messages are sent again under another id": again,
};

export const AUCTION_BUGS: Readonly<Record<string, PlantedBug>> = {
  "an auction that has a bid hears of no other": {
    plant: instead(
      Auction.prototype,
      "paid",
      (real) =>
        function (this: Auction, outcome) {
          if (this.view().best === null) real.call(this, outcome);
        },
    ),
    within: 20,
  },
  "a reminder calls under another id each time it is tried": REMINDER_BUGS[
    "a reminder calls under another id each time it is tried"
  ] as PlantedBug,
};

export const WALLET_BUGS: Readonly<Record<string, PlantedBug>> = {
  "messages are sent again under another id": again,
};

export const TIC_TAC_TOE_BUGS: Readonly<Record<string, PlantedBug>> = {
  "it is always the first player's turn": {
    plant: instead(
      TicTacToe.prototype,
      "view",
      (real) =>
        function (this: TicTacToe) {
          const view = real.call(this);
          return { ...view, next: view.players[0] ?? null };
        },
    ),
    within: 20,
  },
};

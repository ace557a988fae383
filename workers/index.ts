import { defineHost } from "edgeverse/cloudflare";
import { probes } from "edgeverse/verify";
import { Auction } from "../examples/auction.ts";
import { ChatRoom } from "../examples/chat-room.ts";
import { Counter } from "../examples/counter.ts";
import { Journal } from "../examples/journal.ts";
import { Match, Matchmaking, Player } from "../examples/match.ts";
import { Order, Product, Van } from "../examples/order.ts";
import { TicTacToe } from "../examples/tic-tac-toe.ts";
import { Wallet } from "../examples/wallet.ts";
import { examplePage } from "./example-pages.ts";

const host = defineHost({
  objects: [
    Counter,
    Wallet,
    ChatRoom,
    Journal,
    TicTacToe,
    Player,
    Matchmaking,
    Match,
    Order,
    Product,
    Van,
    Auction,
    ...probes,
  ],
  // To be tried out: everybody may do everything.
  access: [
    { type: "*", access: "ALLOW", anonymous: true },
    { type: "*", lifecycle: "ALL", access: "ALLOW", anonymous: true },
  ],
  push: {
    topics: { "room/*": { anonymous: true, presence: true } },
  },
});

export default {
  ...host.worker,
  fetch: async (...[request, env, ctx]) => examplePage(request) ?? host.worker.fetch(request, env, ctx),
} satisfies typeof host.worker;
export const { Partition, Coordinator, Gate } = host;

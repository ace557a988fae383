import type { Workload } from "edgeverse/testing";
import { Match, Matchmaking, Player } from "../../examples/match.ts";
import { deedsOf, repeated, same } from "./repeated.ts";

const QUEUES = ["east", "west"];
const PLAYERS = ["ann", "bob", "cy", "dee", "eve"];

/** A hit that counted. */
type Hit = { readonly match: string; readonly player: string } | undefined;

/** Players who look for matches all the time, and bombs that hit them. */
export default {
  objects: [Match, Matchmaking, Player],
  calls: 80,
  async call({ object, random, n }): Promise<Hit> {
    const callId = `c${n}`;
    const [player, queue] = [random.pick(PLAYERS), random.pick(QUEUES)];
    const { status, match } = await object(Player, player, { callId: `view-${n}` }).view();
    if (status === "playing" && match !== null) {
      const hit = await repeated(random, () => object(Match, match, { callId }).hit({ player }));
      return "refused" in hit ? undefined : { match, player };
    }
    await repeated(random, () => object(Player, player, { callId }).play({ queue }));
    return undefined;
  },

  async check({ object, answers }) {
    const hits = deedsOf(answers);
    const records = new Map(PLAYERS.map((player) => [player, { status: "idle", wins: 0, losses: 0 }]));
    const record = (player: string) => records.get(player) ?? { status: "", wins: 0, losses: 0 };

    for (const queue of QUEUES) {
      const { waiting, matches } = await object(Matchmaking, queue).view();
      if (waiting !== null) record(waiting).status = "waiting";
      for (let number = 1; number <= matches; number++) {
        const id = `${queue}-${number}`;
        const { players, winner } = await object(Match, id).view();
        same(`how many play ${id}`, new Set(players.map(({ player }) => player)).size, 2);
        for (const { player, lives } of players) {
          const taken = hits.filter((hit) => hit.match === id && hit.player === player).length;
          same(`the lives of ${player} in ${id}`, lives, 3 - taken);
          same(`whether ${player} has lost ${id}`, winner !== null && winner !== player, lives === 0);
          if (winner === null) record(player).status = "playing";
          else record(player)[winner === player ? "wins" : "losses"] += 1;
        }
      }
    }
    for (const [player, expected] of records) {
      const { status, wins, losses } = await object(Player, player).view();
      same(`the record of ${player}`, { status, wins, losses }, expected);
    }
  },
} satisfies Workload<Hit>;

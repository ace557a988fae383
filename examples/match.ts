import { method, type RequestOf, VirtualObject } from "edgeverse";
import * as z from "zod";

/** Somebody who plays. The invariants: in one match at a time, and each match that ended is counted exactly once. */
export class Player extends VirtualObject.withState(
  z.object({
    status: z.enum(["idle", "waiting", "playing"]).default("idle"),
    /** The present match, or the last one. */
    match: z.string().nullable().default(null),
    wins: z.number().int().default(0),
    losses: z.number().int().default(0),
  }),
) {
  static override readonly type = "Player";
  static override readonly methods = {
    play: method({ request: z.object({ queue: z.string().regex(/^[\w-]{1,64}$/) }) }),
    matchBegan: method({ internal: true, request: z.object({ match: z.string() }) }),
    matchEnded: method({ internal: true, request: z.object({ won: z.boolean() }) }),
    view: method({ readonly: true }),
  };

  play({ queue }: RequestOf<typeof Player.methods.play>) {
    if (this.state.status !== "idle") this.fail("BUSY", `the player is ${this.state.status}`);
    this.state.status = "waiting";
    this.outbox(Matchmaking, queue).enter({ player: this.id });
    return this.view();
  }

  matchBegan({ match }: RequestOf<typeof Player.methods.matchBegan>) {
    this.state.status = "playing";
    this.state.match = match;
  }

  matchEnded({ won }: RequestOf<typeof Player.methods.matchEnded>) {
    this.state.status = "idle";
    if (won) this.state.wins += 1;
    else this.state.losses += 1;
  }

  view() {
    return this.state;
  }
}

/** A queue in which players wait. As soon as there are two, their match begins. */
export class Matchmaking extends VirtualObject.withState(
  z.object({ waiting: z.string().nullable().default(null), matches: z.number().int().default(0) }),
) {
  static override readonly type = "Matchmaking";
  static override readonly methods = {
    enter: method({ internal: true, request: z.object({ player: z.string() }) }),
    view: method({ readonly: true }),
  };

  enter({ player }: RequestOf<typeof Matchmaking.methods.enter>) {
    const { waiting } = this.state;
    this.state.waiting = waiting === null ? player : null;
    if (waiting === null) return;
    this.state.matches += 1;
    this.outbox(Match, `${this.id}-${this.state.matches}`).begin({ players: [waiting, player] });
  }

  view() {
    return this.state;
  }
}

/** A match of two, each with three lives. The invariants: it has one end, and both players hear of it. */
export class Match extends VirtualObject.withState(
  z.object({
    players: z.array(z.object({ player: z.string(), lives: z.number().int() })).default([]),
    winner: z.string().nullable().default(null),
  }),
) {
  static override readonly type = "Match";
  static override readonly methods = {
    begin: method({ internal: true, request: z.object({ players: z.array(z.string()).length(2) }) }),
    hit: method({ request: z.object({ player: z.string() }) }),
    view: method({ readonly: true }),
  };

  begin({ players }: RequestOf<typeof Match.methods.begin>) {
    this.state.players = players.map((player) => ({ player, lives: 3 }));
    for (const player of players) this.outbox(Player, player).matchBegan({ match: this.id });
  }

  /** A bomb hits a player. */
  hit({ player }: RequestOf<typeof Match.methods.hit>) {
    const victim = this.state.players.find((each) => each.player === player);
    const other = this.state.players.find((each) => each.player !== player);
    if (victim === undefined || other === undefined) return this.fail("NOT_IN_MATCH", `${player} does not play here`);
    if (this.state.winner !== null) this.fail("MATCH_OVER", `${this.state.winner} has won`);
    victim.lives -= 1;
    if (victim.lives === 0) {
      this.state.winner = other.player;
      this.outbox(Player, other.player).matchEnded({ won: true });
      this.outbox(Player, victim.player).matchEnded({ won: false });
    }
    return this.view();
  }

  view() {
    return this.state;
  }
}

import type { Comparison } from "../compare.ts";
import type { RateGroup } from "../group.ts";
import { add, addBySocket, say, sayBare } from "../plans.ts";

const SPEAKERS = 8;
const BARE = `bare Durable Object, ${SPEAKERS} speak`;
const BARE_ALONE = "bare Durable Object, one speaks";
const FEW = `gate, ${SPEAKERS} speak, one message of 50 is acknowledged`;
const CLIENT = `gate, ${SPEAKERS} speak, acknowledged as edgeverse/client does`;
const EACH = `gate, ${SPEAKERS} speak, each message is acknowledged`;
const CLIENT_ALONE = "gate, one speaks, acknowledged as edgeverse/client does";
const EACH_ALONE = "gate, one speaks, each message is acknowledged";

/**
 * What a client says to everybody who listens, by a durable call of an object that publishes it. It is compared with the same
 * bytes of a Durable Object with hibernating WebSockets that stores nothing. Who speaks waits until everybody has got it.
 */
export function fanOutGroup(clients: number): RateGroup {
  return {
    kind: "rates",
    name: `push-${clients}`,
    title: `Messages to ${clients} clients; a call is one message that one client got`,
    async cases(context) {
      const bare = { server: await context.baseline(), connections: clients };
      const gate = { server: await context.gated(), connections: clients };
      return [
        { ...bare, name: BARE, plan: sayBare(SPEAKERS) },
        { ...gate, name: FEW, plan: say(SPEAKERS, { every: 50 }) },
        { ...gate, name: CLIENT, plan: say(SPEAKERS, { every: 100, after: 50 }) },
        { ...gate, name: EACH, plan: say(SPEAKERS, { every: 1 }) },
        { ...bare, name: BARE_ALONE, plan: sayBare(1) },
        { ...gate, name: CLIENT_ALONE, plan: say(1, { every: 100, after: 50 }) },
        { ...gate, name: EACH_ALONE, plan: say(1, { every: 1 }) },
      ];
    },
    comparisons: [
      ...against(BARE, FEW, 0.9),
      ...against(BARE, CLIENT, 0.6),
      ...against(BARE, EACH, 0.6),
      ...against(BARE_ALONE, CLIENT_ALONE, 0.6),
      ...against(BARE_ALONE, EACH_ALONE, 0.6),
    ],
  };
}

function against(to: string, of: string, atLeast: number): Comparison[] {
  return [
    { of, to, atLeast },
    { of, to, by: "p99" },
  ];
}

const SOCKET = "durable call, 8 sockets, 64 open on each";
const HTTP = [32, 128];
const overHttp = (connections: number) => `durable call by HTTP, ${connections} connections`;

/** Durable calls over connections, against the same calls by HTTP. */
export const socketCallGroup: RateGroup = {
  kind: "rates",
  name: "socket",
  title: "Durable calls over WebSockets, 1,000 objects",
  async cases(context) {
    const server = await context.gated();
    const http = (connections: number) => ({ name: overHttp(connections), server, connections, plan: add });
    return [
      ...HTTP.map(http),
      { name: SOCKET, server, connections: 8, plan: addBySocket(64) },
      { name: "durable call, 128 sockets, 4 open on each", server, connections: 128, plan: addBySocket(4) },
    ];
  },
  comparisons: HTTP.map((connections) => ({ of: SOCKET, to: overHttp(connections), atLeast: 4 })),
};

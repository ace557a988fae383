import type { FanOutPlan, RequestPlan, SocketCallPlan } from "./load/job.ts";

const OBJECTS = 1_000;
export const IDS = Array.from({ length: OBJECTS }, (_, index) => `c${index}`);
const ADD = JSON.stringify({ request: { by: 1 } });

const callPath = (type: string, id: string, method: string) =>
  `/api/v1/objects/call/${type}/${encodeURIComponent(id)}/${method}`;

/** The bare worker: a plain answer, or a call of the one Durable Object without or with a write. */
export const bare = {
  plain: { method: "GET", paths: ["/plain"] },
  rpc: { method: "GET", paths: IDS.map((id) => `/count/${id}`) },
  /** The request that Edgeverse gets, its body read as JSON. */
  rpcJson: { method: "POST", paths: IDS.map((id) => `/count/${id}`), bodies: [ADD] },
  write: { method: "GET", paths: IDS.map((id) => `/write/${id}`) },
  /** The same request again, of the smallest group commit there is. */
  grouped: { method: "POST", paths: IDS.map((id) => `/add/${id}`), bodies: [ADD] },
} satisfies Record<string, RequestPlan>;

export const add: RequestPlan = {
  method: "POST",
  paths: IDS.map((id) => callPath("Counter", id, "add")),
  bodies: [ADD],
};
export const addIndexed: RequestPlan = { ...add, paths: IDS.map((id) => callPath("Priced", id, "add")) };
export const addTelling: RequestPlan = { ...add, paths: IDS.map((id) => callPath("Teller", id, "add")) };
/** Each object is called by its owner, whose credentials are these, in the order of the objects. */
export const addAsOwner = (credentials: readonly string[]): RequestPlan => ({
  ...add,
  paths: IDS.map((id) => callPath("Owned", id, "add")),
  headers: credentials.map((each) => `Authorization: Bearer ${each}`),
});
export const addOpen: RequestPlan = { ...add, paths: IDS.map((id) => callPath("Owned", id, "open")) };
export const reliableAdd: RequestPlan = { ...add, freshKeys: true };
export const get: RequestPlan = { ...add, paths: IDS.map((id) => callPath("Counter", id, "get")), bodies: ["{}"] };

/** Batches of `size` calls, each to another object, over `objects` objects in all. */
export function batches(size: number, objects = OBJECTS): RequestPlan {
  const bodies = Array.from({ length: Math.ceil(objects / size) }, (_, batch) => {
    const ids = Array.from(
      { length: Math.min(size, objects - batch * size) },
      (_, index) => `c${batch * size + index}`,
    );
    return JSON.stringify({ calls: ids.map((id) => ({ type: "Counter", id, method: "add", request: { by: 1 } })) });
  });
  return { method: "POST", paths: ["/api/v1/objects/batch"], bodies };
}

export const NEIGHBOURS = 100;
const HUBS = 32;

/** Hubs on partition p0, each calling its own hundred neighbours on `partition`. */
export function hubs(how: "inTurn" | "together", partition: "p0" | "p1", method: "get" | "add"): RequestPlan {
  const numbers = Array.from({ length: HUBS }, (_, hub) => hub);
  return {
    method: "POST",
    paths: numbers.map((hub) => callPath("Hub", `partition#p0/hub-${hub}`, how)),
    bodies: numbers.map((hub) => {
      const prefix = `partition#${partition}/h${hub}-`;
      return JSON.stringify({ request: { prefix, count: NEIGHBOURS, method } });
    }),
  };
}

/** Hubs on partition p0, each sending `size` calls to objects of its own on `partition`. */
export function tells(size: number, partition: "p0" | "p1", hubs = HUBS): RequestPlan {
  const numbers = Array.from({ length: hubs }, (_, hub) => hub);
  return {
    method: "POST",
    paths: numbers.map((hub) => callPath("Hub", `partition#p0/hub-${hub}`, "tell")),
    bodies: numbers.map((hub) =>
      JSON.stringify({ request: { prefix: `partition#${partition}/s${hub}-`, count: size } }),
    ),
  };
}

/** Hubs on partition p0, each changing `size` objects of its own there in one transaction. */
export function transactions(size: number): RequestPlan {
  const numbers = Array.from({ length: HUBS }, (_, hub) => hub);
  return {
    method: "POST",
    paths: numbers.map((hub) => callPath("Hub", `partition#p0/hub-${hub}`, "transaction")),
    bodies: numbers.map((hub) => JSON.stringify({ request: { prefix: `partition#p0/t${hub}-`, count: size } })),
  };
}

/** The calls of `add` over WebSockets. */
export const addBySocket = (inFlight: number): SocketCallPlan => ({
  kind: "socket-calls",
  inFlight,
  calls: IDS.map((id) => `"type":"Counter","object":"${id}","method":"add","request":{"by":1}`),
});

const TEXT = "What somebody says in a room: a line of it, as long as such lines are, and no longer than this one is.";
const SAID = `{"number":#,"text":"${TEXT}"}`;

/** Messages to all clients of a gate. */
export const say = (speakers: number, acknowledge: NonNullable<FanOutPlan["acknowledge"]>): FanOutPlan => ({
  kind: "fan-out",
  topic: "room/one",
  acknowledge,
  say: `{"kind":"call","id":#,"type":"Speaker","object":"one","method":"say","request":${SAID}}`,
  speakers,
});

/** The same text to all sockets of the bare worker. */
export const sayBare = (speakers: number): FanOutPlan => ({
  kind: "fan-out",
  say: `{"kind":"message","n":12345,"topic":"room/one","data":${SAID}}`,
  speakers,
});

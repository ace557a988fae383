import {
  type Client,
  ClientError,
  createClient,
  createOutbox,
  type Outcome,
  type StoredCall,
} from "../../client/index.ts";
import type { StateOf } from "../../client/types.ts";
import type { Room } from "./app/room.ts";

/** Waits until every program is there, and the test has done what it does then. */
export type Meet = (where: "down" | "up") => Promise<void>;

/** Shows what a client watches. @returns gives what is shown now */
export type Show = (client: Client<typeof Room>) => () => unknown;

/**
 * What a program of a user does with a host that is killed and comes back meanwhile. The same runs in Node, Deno and a browser.
 * @returns what it has seen
 */
export async function scenario(
  url: string,
  name: string,
  meet: Meet,
  show: Show = () => () => null,
): Promise<Record<string, unknown>> {
  const tokens = ["stale", name];
  const statuses: string[] = [];
  const client = createClient<typeof Room>({
    url,
    token: () => tokens.shift() ?? name,
    onStatus: (status) => statuses.push(status),
  });
  const room = client.object("Room", name);
  const seen: Record<string, unknown> = {};
  const heard: unknown[] = [];
  const arrivals = new Map<number, () => void>();
  const arrived = (count: number) =>
    new Promise<void>((resolve) => (heard.length >= count ? resolve() : arrivals.set(count, resolve)));
  let gaps = 0;
  const hear = (data: unknown) => {
    arrivals.get(heard.push(data))?.();
  };
  const stop = client.subscribe(`room/${name}`, hear, { onGap: () => gaps++ });
  const direct = new Promise((resolve) => client.onMessage(resolve));

  seen["said"] = await room.say({ text: "one" });
  seen["refused"] = await room.close().catch((error: ClientError) => [error.code, error.reason, error.details]);
  await opened(client);
  const watched = watchRoom(client, name);
  const shown = show(client);
  await watched.until(1);
  await room.say({ text: "two" });
  await watched.until(2);
  seen["patched"] = watched.states.at(-1)?.rules === watched.states.at(-2)?.rules;
  await arrived(1);
  await room.tell({ client: client.clientId as string, text: "psst" });
  seen["direct"] = await direct;

  await meet("down");
  const lost = await room.say({ text: "lost" }).catch((error: ClientError) => error);
  seen["lost"] = lost instanceof ClientError && [lost.code, lost.retryable];
  let end: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    end = resolve;
  });
  const outbox = createOutbox(client, { name, onOutcome: end, ...(hasIndexedDb() ? {} : { storage: inMemory() }) });
  const callId = await outbox.object("Room", name).say({ text: "queued" });
  const reliable = Promise.all(
    [3, 4].map((text) => room.say({ text: String(text) }, { reliable: true, timeout: 170_000 })),
  );
  await meet("up");
  await reliable;
  const { ok, method, callId: ended } = await outcome;
  seen["outcome"] = [ok, method, ended === callId];
  outbox.close();
  await arrived(4);
  await watched.until(5);
  seen["watched"] = [...(watched.states.at(-1)?.said ?? [])].sort();
  const counts = watched.states.map(({ said }) => said.length);
  seen["grown"] = counts.every((count, index) => index === 0 || count >= (counts[index - 1] ?? 0));
  seen["list"] = [...(await room.list())].sort();
  seen["heard"] = heard.map((data) => (data as { number: number }).number);
  seen["gaps"] = gaps;
  seen["shown"] = shown();
  stop();
  watched.stop();
  client.close();
  seen["statuses"] = statuses;
  return seen;
}

/** Keeps what a watch tells, and tells when so much has been said. */
function watchRoom(client: Client<typeof Room>, name: string) {
  const states: StateOf<typeof Room>[] = [];
  let onState = () => {};
  const stop = client.watch("Room", name, (state) => {
    if (state !== undefined) states.push(state);
    onState();
  });
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      onState = () => states.at(-1)?.said.length === count && resolve();
      onState();
    });
  return { states, until, stop };
}

function hasIndexedDb(): boolean {
  return "indexedDB" in globalThis;
}

function inMemory() {
  const calls = new Map<string, StoredCall>();
  return {
    list: async () => [...calls.values()],
    add: async (call: StoredCall) => void calls.set(call.callId, call),
    remove: async (callId: string) => void calls.delete(callId),
  };
}

async function opened(client: { readonly status: string }): Promise<void> {
  for (; client.status !== "open"; await new Promise((resolve) => setTimeout(resolve, 5)));
}

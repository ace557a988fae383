import type { Reply } from "../../object/message.ts";
import { type CallEvent, transition } from "../../reliable/call-state.ts";
import type { DeliveryFlaw } from "./delivery-flaws.ts";
import {
  type At,
  type Call,
  type DeliveryState,
  type Held,
  NAMES,
  open,
  other,
  type Shard,
  type Status,
  statusOf,
  withRows,
} from "./delivery-model-state.ts";

/** What a request made of everything, and its answer; none while the receiver waits for something. */
export interface Handled {
  readonly state: DeliveryState;
  readonly reply: Reply | undefined;
}

const ACCEPTED: Reply = { kind: "accepted", callId: "c" };
const RESPONSE: Reply = { kind: "response", response: "1", replayed: true };

/** At a partition: a call that is to be accepted, or whose outcome is asked for. */
export function receive(
  flaw: DeliveryFlaw | undefined,
  state: DeliveryState,
  at: At,
  call: Call,
  answer: "accepted" | "outcome",
): Handled {
  const moved = elsewhere(state, "receiver", at);
  if (moved !== undefined) return { state, reply: moved };
  if (!open(state, "receiver", at)) return { state, reply: undefined };
  const { calls } = state.receiver[at].rows;
  const status = statusOf(calls, call);
  const unknown = status === undefined || (flaw === "another-id" && status === "s");
  if (unknown) {
    const accepted = withRows(state, "receiver", at, { calls: `${calls}${call}p` });
    return { state: accepted, reply: answer === "accepted" ? ACCEPTED : undefined };
  }
  if (status === "s") return { state, reply: RESPONSE };
  if (status === "e") return { state, reply: { kind: "error", error: expiredError(), replayed: true } };
  return { state, reply: answer === "accepted" ? ACCEPTED : undefined };
}

/** At a partition: the call of the sender's outcome method. */
export function hear(flaw: DeliveryFlaw | undefined, state: DeliveryState, at: At, outcome: Held): Handled {
  const moved = elsewhere(state, "sender", at);
  if (moved !== undefined) return { state, reply: moved };
  if (!open(state, "sender", at)) return { state, reply: undefined };
  const { told } = state.sender[at].rows;
  const known = told !== "" && !(flaw === "told-anew" && told.startsWith("s"));
  return { state: known ? state : withRows(state, "sender", at, { told: `p${outcome}` }), reply: ACCEPTED };
}

/** A redirection, where the shard is not; one that stands ready lets calls wait. */
function elsewhere(state: DeliveryState, shard: Shard, at: At): Reply | undefined {
  const own = state[shard][at].record?.state;
  if (own !== undefined && own.kind !== "gone" && own.kind !== "incoming") return undefined;
  const partition = NAMES[other(at)];
  return { kind: "moved", partition, epoch: own?.epoch ?? 0, shard: 0, shards: 2, mapVersion: 1 };
}

/** The first pending call of the receiver runs, or has expired. */
export function runNext(state: DeliveryState, at: At): DeliveryState {
  const { calls } = state.receiver[at].rows;
  const place = calls.indexOf("p");
  if (place < 0) return state;
  const call = calls[place - 1] as Call;
  const event: CallEvent = state.expired && call === "1" ? { kind: "expired" } : { kind: "returned", response: "1" };
  const { status } = transition({ status: "pending", attempts: 1 }, event);
  const ended: Status = status === "success" ? "s" : "e";
  const after = withRows(state, "receiver", at, { calls: calls.slice(0, place) + ended + calls.slice(place + 1) });
  return ended === "s" ? { ...after, ran: state.ran + call } : after;
}

/** The sender hears an outcome. */
export function hearNext(state: DeliveryState, at: At): DeliveryState {
  const { told } = state.sender[at].rows;
  if (!told.startsWith("p")) return state;
  const outcome = told.slice(1);
  return { ...withRows(state, "sender", at, { told: `s${outcome}` }), heard: state.heard + outcome };
}

/** The stored error of a call that has expired. */
function expiredError() {
  const ended = transition({ status: "pending", attempts: 1 }, { kind: "expired" });
  if (ended.status !== "expired") throw new Error("a call that expires has not expired");
  return ended.error;
}

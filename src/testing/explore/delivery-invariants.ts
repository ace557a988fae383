import { serves } from "../../placement/shard-state.ts";
import { CALLS, type DeliveryState, holder, NAMES, PLACES, SHARDS, statusOf } from "./delivery-model-state.ts";
import type { Invariant, Model, StepInvariant } from "./explore.ts";

function rowsOf(state: DeliveryState) {
  const { outbox, told } = state.sender[holder(state.sender)].rows;
  return { outbox, told, calls: state.receiver[holder(state.receiver)].rows.calls };
}

/** What must hold in every state. */
export const DELIVERY_INVARIANTS: readonly Invariant<DeliveryState>[] = [
  {
    name: "[CALL7] a message runs at most once, and only if it was sent",
    fault: ({ ran, sent }) => {
      if (new Set(ran).size < ran.length) return `ran: ${ran}`;
      const unsent = [...ran].filter((call) => Number(call) > sent);
      return unsent.length > 0 ? `${unsent} ran, and was not sent` : undefined;
    },
  },
  {
    name: "[CALL7] messages of a pair are accepted in the order in which they were sent",
    fault: (state) => {
      const { calls } = rowsOf(state);
      return calls.includes("2") && !/1.*2/.test(calls) ? `accepted: ${calls}` : undefined;
    },
  },
  {
    name: "[CALL7] a message is in the outbox until its receiver has it",
    fault: (state) => {
      const { outbox, calls } = rowsOf(state);
      const lost = CALLS.slice(0, state.sent).filter((call) => !outbox.includes(call) && !calls.includes(call));
      return lost.length > 0 ? `${lost} is nowhere` : undefined;
    },
  },
  {
    name: "[CALL7] a message is in the outbox until its sender has the outcome",
    fault: (state) => {
      const { outbox, told } = rowsOf(state);
      return state.sent > 0 && !outbox.includes("1") && told === "" ? "the outcome of 1 is nowhere" : undefined;
    },
  },
  {
    name: "[CALL7] the sender hears an outcome once, and it is what became of the call",
    fault: (state) => {
      const { heard } = state;
      if (heard.length > 1) return `it has heard ${heard}`;
      const status = statusOf(rowsOf(state).calls, "1");
      return heard !== "" && heard !== status ? `it has heard ${heard}, and the call is ${status}` : undefined;
    },
  },
  {
    name: "[CALL8] a call that has expired does not run",
    fault: (state) => {
      const ended = statusOf(rowsOf(state).calls, "1");
      return ended === "e" && state.ran.includes("1") ? "it has run" : undefined;
    },
  },
  {
    name: "[OWN1] at most one partition serves a shard",
    fault: (state) => {
      const twice = SHARDS.find((shard) => PLACES.every((at) => serves(state[shard][at].record?.state)));
      return twice === undefined ? undefined : `${NAMES.join(" and ")} serve the ${twice}'s`;
    },
  },
];

/** What no step may do. */
export const DELIVERY_STEPS: readonly StepInvariant<DeliveryState>[] = [
  {
    name: "[MIG3] at the commit the target has what the source has",
    fault: (before, after) => {
      for (const shard of SHARDS) {
        for (const at of PLACES) {
          const [old, now] = [before[shard][at], after[shard][at].record?.state];
          if (old.record?.state.kind !== "leaving" || now?.kind !== "gone") continue;
          const [source, target] = [old.rows, before[shard][at === 0 ? 1 : 0].rows].map((rows) => JSON.stringify(rows));
          if (source !== target) return `the ${shard}'s source has ${source}, the target ${target}`;
        }
      }
      return undefined;
    },
  },
];

/** Once crashes, losses and late requests stop, everything comes to its end, and nothing is left but marks. */
export const DELIVERY_GOAL: NonNullable<Model<DeliveryState>["goal"]> = {
  name: "[CALL7] everything that was sent can be delivered, and leaves nothing but the marks",
  reached: (state) => {
    const { outbox, told, calls } = rowsOf(state);
    if (state.sent < CALLS.length || outbox !== "" || !told.startsWith("s") || calls.includes("p")) return false;
    if (!CALLS.every((call) => calls.includes(call)) || state.heard === "") return false;
    if (state.held.flat().some((held) => held !== "-")) return false;
    return SHARDS.every((shard) => PLACES.some((at) => state[shard][at].record?.state.kind === "owned"));
  },
};

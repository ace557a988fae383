import * as z from "zod";

/** What operators say of a gate: a cordoned one takes no new clients, a draining one asks those it has to go to another. */
export type GateState = "active" | "cordoned" | "draining";

const GATE = /^g(0|[1-9]\d{0,3})$/;

/** Those that are not active, by their names. */
export const gateStatesSchema = z.record(
  z.string().regex(GATE, "must be the name of a gate, such as g0"),
  z.enum(["cordoned", "draining"]),
);

export type GateStates = Readonly<z.output<typeof gateStatesSchema>>;

export function gateStateOf(states: GateStates | undefined, gate: string): GateState {
  return (states !== undefined && Object.hasOwn(states, gate) ? states[gate] : undefined) ?? "active";
}

/** The same with another state of one gate; undefined when all are active. */
export function withGateState(states: GateStates | undefined, gate: string, state: GateState): GateStates | undefined {
  const others = Object.entries(states ?? {}).filter(([name]) => name !== gate);
  const all = state === "active" ? others : [...others, [gate, state] as const];
  return all.length === 0 ? undefined : Object.fromEntries(all);
}

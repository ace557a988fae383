import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { type GateState, gateStateOf, withGateState } from "../settings/gate-states.ts";
import type { GateCommand, Operator } from "./commands.ts";
import type { SettingsDesk } from "./settings-desk.ts";
import type { GateSettings, SettingsResult } from "./settings-views.ts";

const STATES = { "cordon-gate": "cordoned", "drain-gate": "draining", "uncordon-gate": "active" } as const;

/**
 * Makes a new version of the settings with another state of one gate ([PUSH14]): gates and routers hear of it as of any other.
 * @throws EdgeverseError `NOT_FOUND`, `CONFLICT`; nothing has changed then
 */
export function changeGate(
  { desk, gates }: { readonly desk: Pick<SettingsDesk, "run" | "newest">; readonly gates: GateSettings | undefined },
  { kind, name }: GateCommand,
  operator: Operator,
): SettingsResult {
  const names = gates?.names ?? [];
  if (!names.includes(name)) throw new EdgeverseError("NOT_FOUND", `There is no gate "${name.slice(0, 80)}"`);
  const { document, version } = desk.newest;
  const state: GateState = STATES[kind];
  const { gates: before, ...rest } = document;
  const states = withGateState(before, name, state);
  if (state !== "active" && names.every((each) => gateStateOf(states, each) !== "active"))
    throw new EdgeverseError("CONFLICT", `No gate would take clients any more: ${name} is the last one`);
  const next = states === undefined ? rest : { ...rest, gates: states };
  return desk.run({ kind: "put-settings", document: next, expectedVersion: version, dryRun: false }, operator);
}

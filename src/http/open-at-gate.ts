import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Random } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import { gateOf } from "../push/client-id.ts";
import { GATE_CLOSED } from "../push/reception.ts";
import type { GateState } from "../settings/gate-states.ts";
import type { HttpParts } from "./ports.ts";

/** Ms that a gate may take to open a connection, and gates that are tried at most. */
const WITHIN = 10_000;
const MOST = 4;

/**
 * Gates to try for a client, in their order ([PUSH14]): the one that has its session, whatever its state, since it alone knows
 * whether it has; then others that take new clients.
 */
export function gatesToTry(
  names: readonly string[],
  client: string,
  stateOf: (gate: string) => GateState,
  random: Random,
): string[] {
  const named = gateOf(client);
  const first = named !== undefined && names.includes(named) ? [named] : [];
  const others = names.filter((name) => name !== first[0] && stateOf(name) === "active");
  while (first.length < MOST && others.length > 0) {
    const pick = Number.parseInt(random.uuid().slice(0, 8), 16) % others.length;
    first.push(...others.splice(pick, 1));
  }
  return first;
}

/**
 * Opens a connection at the first gate that takes the client.
 * @throws EdgeverseError of the gate that has its session, or that was asked last
 */
export async function openAtGate<Opened>(
  { gates, settings, clock, random }: Pick<HttpParts, "gates" | "settings" | "clock" | "random">,
  client: string,
  open: (gate: string) => Promise<Opened>,
): Promise<Opened> {
  const named = gateOf(client);
  let refused = new EdgeverseError("UNAVAILABLE", "No gate takes clients now", { reason: GATE_CLOSED, retryAfter: 5 });
  for (const gate of gatesToTry(gates?.names ?? [], client, (name) => settings.live.gateState(name), random)) {
    const late = () => new EdgeverseError("UNAVAILABLE", `The gate ${gate} did not answer in time`, { retryAfter: 1 });
    const lost = (cause: unknown) => {
      if (cause instanceof EdgeverseError) throw cause;
      throw new EdgeverseError("UNAVAILABLE", `The gate ${gate} can't be reached`, { cause, retryAfter: 1 });
    };
    try {
      return await within(clock, WITHIN, open(gate).catch(lost), late);
    } catch (error) {
      refused = EdgeverseError.from(error);
      // A session is at one gate alone: elsewhere it would be another. A gate that is silent may have opened it all the same.
      const elsewhere = refused.reason === GATE_CLOSED || (refused.code === "OVERLOADED" && gate !== named);
      if (!elsewhere) throw refused;
    }
  }
  throw refused;
}

import type { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CommitMember } from "./storage/commit-unit.ts";
import { Activation } from "./turns/activation.ts";
import type { Observer } from "./turns/ports.ts";
import type { TurnActivation } from "./turns/turn.ts";

/** The objects among what the database has refused; the operator is told. */
export function refusedObjects(
  members: ReadonlyMap<CommitMember, EdgeverseError>,
  observer: Observer,
): Map<TurnActivation, EdgeverseError> {
  const refused = new Map<TurnActivation, EdgeverseError>();
  for (const [member, error] of members) if (member instanceof Activation) refused.set(member, error);
  const keys = Array.from(refused.keys(), ({ key }) => key).slice(0, 10);
  const [error] = refused.values();
  observer.warn("a commit was refused; its objects are as they were", { keys, error });
  return refused;
}

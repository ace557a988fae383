import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { within } from "../platform/within.ts";
import type { PartitionClient } from "../router/ports.ts";
import { ADMIN_LIMIT } from "./ask-partitions.ts";
import type { EdgeParts } from "./ports.ts";

/** Asks the owner of `id` something that changes nothing. @throws EdgeverseError `UNAVAILABLE`, also when it is silent */
export function askOwner<Answer>(
  { router, clock }: Pick<EdgeParts, "router" | "clock">,
  id: string,
  question: (client: PartitionClient) => Promise<Answer | { readonly movedTo: string | null }>,
): Promise<Answer> {
  const late = () =>
    new EdgeverseError("UNAVAILABLE", `The object's partition did not answer within ${ADMIN_LIMIT} ms`);
  return within(clock, ADMIN_LIMIT, router.ask(id, clock.now() + ADMIN_LIMIT, question), late);
}

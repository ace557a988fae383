import { EdgeverseError, type WireError } from "../errors/edgeverse-error.ts";
import { within } from "../platform/within.ts";
import type { PartitionClient } from "../router/ports.ts";
import { remoteFault } from "../router/remote-fault.ts";
import type { HttpParts } from "./ports.ts";

/** Ms to wait for a partition or the coordinator to say something about itself or an object. */
export const ADMIN_LIMIT = 5_000;

export type PartitionAnswer<T> =
  | { readonly partition: string; readonly ok: true; readonly value: T }
  | { readonly partition: string; readonly ok: false; readonly error: WireError };

/** Asks one partition. @throws EdgeverseError `UNAVAILABLE` or `OVERLOADED`, after `ms` at the latest */
export async function askPartition<T>(
  parts: Pick<HttpParts, "clock" | "connect">,
  partition: string,
  ms: number,
  question: (client: PartitionClient) => Promise<T>,
): Promise<T> {
  const late = () => new EdgeverseError("UNAVAILABLE", `Partition ${partition} did not answer within ${ms} ms`);
  try {
    return await within(parts.clock, ms, question(parts.connect(partition)), late);
  } catch (error) {
    throw error instanceof EdgeverseError ? error : remoteFault(error, partition).error;
  }
}

/** Asks partitions the same, all of them unless told which, at once; one that does not answer is in the result as such. */
export function askPartitions<T>(
  parts: Pick<HttpParts, "clock" | "connect" | "router">,
  ms: number,
  question: (client: PartitionClient) => Promise<T>,
  partitions = parts.router.map.partitions,
): Promise<PartitionAnswer<T>[]> {
  return Promise.all(
    partitions.map(async (partition): Promise<PartitionAnswer<T>> => {
      try {
        return { partition, ok: true, value: await askPartition(parts, partition, ms, question) };
      } catch (error) {
        return { partition, ok: false, error: EdgeverseError.from(error).toWire() };
      }
    }),
  );
}

/** Asks the owner of an object something that changes nothing. @throws EdgeverseError `UNAVAILABLE`, also when it is silent */
export function askOwner<Answer>(
  { router, clock }: Pick<HttpParts, "router" | "clock">,
  object: { readonly type: string; readonly id: string },
  question: (client: PartitionClient) => Promise<Answer | { readonly movedTo: string }>,
): Promise<Answer> {
  return router.ask(object, clock.now() + ADMIN_LIMIT, question);
}

import type { Config } from "../src/config/config.ts";

/** The partitions of this isolate, by their ids. One that has left is collected some time, and is then no member any more. */
const members = new Map<string, WeakRef<object>>();

/**
 * What a partition may use of the memory that it shares with the other partitions of its isolate ([TURN8]): partitions are
 * Durable Objects of one class, and Cloudflare puts several into one isolate. An equal part for each.
 *
 * @param id the Durable Object's; one that is made anew takes the place of its former self
 * @returns tells the bytes of now
 */
export function sharedMemory(id: string, partition: object, config: Config): () => number {
  for (const [other, member] of members) if (member.deref() === undefined) members.delete(other);
  members.set(id, new WeakRef(partition));
  return () => Math.min(config.partitionMemory, config.isolateMemory / members.size);
}

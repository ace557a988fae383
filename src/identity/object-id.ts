import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { fnv1a32 } from "./fnv1a.ts";

export const MAX_ID_BYTES = 512;
/** The most shards a cluster can have. */
export const MAX_SHARDS = 65_536;

const TYPE = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const PARTITION_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
// C0, DEL and C1 controls, and halves of surrogate pairs, which have no UTF-8 form.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Where an id says it lives: by hash, on a fixed shard (`shard#n/…`), or on a fixed partition (`partition#name/…`). */
export type Placement =
  | { readonly kind: "hash"; readonly hash: number }
  | { readonly kind: "shard"; readonly hash: number }
  | { readonly kind: "partition"; readonly partition: string };

function invalid(what: string, value: string, why: string): EdgeverseError {
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return new EdgeverseError("INVALID_ID", `Cannot use ${what} ${JSON.stringify(shown)}: ${why}`);
}

/** Throws `INVALID_ID` unless `type` fits [ID1]. */
export function checkType(type: string): void {
  if (!TYPE.test(type)) throw invalid("type", type, "it must match [A-Za-z][A-Za-z0-9_]{0,63}");
}

export function isPartitionName(name: string): boolean {
  return PARTITION_NAME.test(name);
}

/** Gives the text that is hashed in an id's place: a type's `static shardBy` ([ID6]). */
export type ShardBy = (id: string) => string | undefined;

/**
 * Checks `id` by the grammar of [ID1] and says where it lives.
 * `hash` is the number whose remainder by the shard count is the shard: for `shard#n/…` it is n itself, so the object
 * stays on shard n when the count doubles.
 *
 * @throws EdgeverseError `INVALID_ID`
 */
export function placementOf(id: string, shardBy?: ShardBy): Placement {
  if (id.length === 0) throw invalid("id", id, "it is empty");
  if (id.length > MAX_ID_BYTES || (id.length * 3 > MAX_ID_BYTES && utf8Length(id) > MAX_ID_BYTES)) {
    throw invalid("id", id, `it is longer than ${MAX_ID_BYTES} bytes of UTF-8`);
  }
  if (FORBIDDEN.test(id)) throw invalid("id", id, "it holds a control character or half a surrogate pair");
  const slash = id.indexOf("/");
  if (slash < 0) return { kind: "hash", hash: fnv1a32(shardBy === undefined ? id : hashed(id, shardBy)) };
  return fixedPlacement(id, slash);
}

/** What `shardBy` makes of an id. The same id must give the same text everywhere, so nothing but a text will do. */
function hashed(id: string, shardBy: ShardBy): string {
  let text: unknown;
  try {
    text = shardBy(id);
  } catch (error) {
    throw invalid("id", id, `shardBy of its type throws ${String(error).slice(0, 200)}`);
  }
  if (typeof text !== "string" || text.length === 0)
    throw invalid("id", id, "shardBy of its type gives no text for it");
  if (!text.isWellFormed()) throw invalid("id", id, "shardBy of its type gives half a surrogate pair");
  return text;
}

function fixedPlacement(id: string, slash: number): Placement {
  const prefix = id.slice(0, slash);
  const rest = id.slice(slash + 1);
  if (rest.length === 0) throw invalid("id", id, `nothing follows "${prefix}/"`);
  if (rest.includes("/")) throw invalid("id", id, "it has more than one slash");
  if (prefix.startsWith("shard#")) {
    const digits = prefix.slice("shard#".length);
    const shard = Number(digits);
    if (!/^(0|[1-9][0-9]{0,4})$/.test(digits) || shard >= MAX_SHARDS) {
      throw invalid("id", id, "the shard must be a decimal number below the shard count");
    }
    return { kind: "shard", hash: shard };
  }
  if (prefix.startsWith("partition#")) {
    const partition = prefix.slice("partition#".length);
    if (!isPartitionName(partition)) throw invalid("id", id, "the partition's name is malformed");
    return { kind: "partition", partition };
  }
  throw invalid("id", id, 'a slash is allowed only in "shard#<n>/<rest>" and "partition#<name>/<rest>"');
}

/**
 * The shard of a placement among `shards` shards.
 * @throws EdgeverseError `INVALID_ID` when a fixed shard is not below `shards`
 */
export function shardOf(placement: Exclude<Placement, { kind: "partition" }>, shards: number): number {
  if (placement.kind === "shard" && placement.hash >= shards) {
    throw new EdgeverseError("INVALID_ID", `Cannot use shard ${placement.hash}: the cluster has ${shards} shards`);
  }
  return placement.hash % shards;
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

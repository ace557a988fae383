import { fnv1a32 } from "../identity/fnv1a.ts";

/** A partition as placement sees it. `weight` is relative: twice the weight takes twice the shards. */
export interface Member {
  readonly name: string;
  readonly weight: number;
  /** Where its Durable Object should be made ([MAP5]): a Cloudflare location hint such as `weur`. */
  readonly location?: string;
}

/**
 * Owner of `shard` by weighted rendezvous hashing: each member scores `-weight / ln(u)`, where `u` in (0, 1) is a hash of
 * member and shard, and the highest score wins. Adding a member takes shards only for itself; removing one gives away only
 * its own ([MAP2]); nobody needs to be asked ([MAP1]).
 *
 * Source: Thaler & Ravishankar, "Using name-based mappings to increase hit rates" (1998); the logarithmic method for
 * weights: Resch & Mirzoev (2005) and Schindelhauer & Schomaker (2005).
 *
 * @param members at least one, names distinct, weights positive
 */
export function rendezvousOwner(shard: number, members: readonly Member[]): string {
  let best: Member | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const member of members) {
    const score = -member.weight / Math.log(uniform(nameSeed(member.name), shard));
    if (best === undefined || score > bestScore || (score === bestScore && member.name < best.name)) {
      best = member;
      bestScore = score;
    }
  }
  if (best === undefined) throw new Error("a cluster has at least one partition");
  return best.name;
}

/** The owner of every shard: element n owns shard n. Costs shards × members. */
export function rendezvousTable(shards: number, members: readonly Member[]): string[] {
  return Array.from({ length: shards }, (_, shard) => rendezvousOwner(shard, members));
}

const seeds = new Map<string, number>();

function nameSeed(name: string): number {
  const known = seeds.get(name);
  if (known !== undefined) return known;
  const seed = fnv1a32(name);
  if (seeds.size >= 4_096) seeds.clear();
  seeds.set(name, seed);
  return seed;
}

/** A number in (0, 1) from two 32-bit words, by two rounds of the murmur3 finaliser (Appleby, public domain). */
function uniform(seed: number, shard: number): number {
  const high = mix(seed ^ Math.imul(shard + 1, 0x9e3779b1));
  const low = mix(high ^ Math.imul(shard + 1, 0x85ebca77) ^ seed);
  return (high * 2 ** 21 + (low >>> 11) + 0.5) / 2 ** 53;
}

function mix(word: number): number {
  let value = word;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fnv1a32 } from "../../src/identity/fnv1a.ts";
import { type Member, rendezvousOwner, rendezvousTable } from "../../src/placement/rendezvous.ts";

const SHARDS = 512;

/** Partitions p0, p1, … with these weights, over and over. */
function members(count: number, weights: readonly number[] = [1]): Member[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `p${index}`,
    weight: weights[index % weights.length] as number,
  }));
}

function shares(table: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const owner of table) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return counts;
}

const weight = fc.constantFrom(0.1, 0.5, 1, 2, 3.5, 100);
const name = fc.string({ unit: fc.constantFrom(..."abzABZ019-_"), minLength: 1, maxLength: 12 });
const anyMembers = fc.uniqueArray(fc.record({ name, weight }), {
  minLength: 2,
  maxLength: 9,
  selector: (member) => member.name,
});

describe("rendezvous hashing", () => {
  test("[MAP2] adding a partition moves only the shards it gains; removing it puts everything back", () => {
    fc.assert(
      fc.property(anyMembers, (all) => {
        const [joining, ...rest] = all as [Member, ...Member[]];
        const before = rendezvousTable(SHARDS, rest);
        const after = rendezvousTable(SHARDS, all);
        for (let shard = 0; shard < SHARDS; shard++) {
          if (after[shard] !== joining.name && after[shard] !== before[shard]) {
            expect.fail(`shard ${shard} moved from ${before[shard]} to ${after[shard]} as ${joining.name} joined`);
          }
        }
        expect(rendezvousTable(SHARDS, rest)).toEqual(before);
      }),
    );
  });

  test("[MAP2] removing a partition moves only the shards it held", () => {
    fc.assert(
      fc.property(anyMembers, fc.nat(), (all, pick) => {
        const leaving = all[pick % all.length] as Member;
        const before = rendezvousTable(SHARDS, all);
        const after = rendezvousTable(
          SHARDS,
          all.filter((member) => member !== leaving),
        );
        const moved = before.flatMap((owner, shard) => (owner === after[shard] ? [] : [owner]));
        expect(moved.every((owner) => owner === leaving.name)).toBe(true);
        expect(after).not.toContain(leaving.name);
      }),
    );
  });

  test("[MAP2] a higher weight only gains shards, a lower one only gives them away", () => {
    fc.assert(
      fc.property(anyMembers, fc.nat(), fc.constantFrom(1.1, 2, 10), (all, pick, factor) => {
        const chosen = all[pick % all.length] as Member;
        const heavier = all.map((member) =>
          member === chosen ? { ...member, weight: member.weight * factor } : member,
        );
        const before = rendezvousTable(SHARDS, all);
        const after = rendezvousTable(SHARDS, heavier);
        const moved = after.filter((owner, shard) => owner !== before[shard]);
        expect(moved.every((owner) => owner === chosen.name)).toBe(true);
      }),
    );
  });

  test("[MAP1] the order of the list does not matter, nor does the scale of the weights", () => {
    fc.assert(
      fc.property(anyMembers, fc.nat(SHARDS), (all, shard) => {
        const owner = rendezvousOwner(shard, all);
        expect(rendezvousOwner(shard, [...all].reverse())).toBe(owner);
        // Powers of two scale every score exactly.
        const scaled = all.map((member) => ({ ...member, weight: member.weight * 1_024 }));
        expect(rendezvousOwner(shard, scaled)).toBe(owner);
      }),
    );
  });

  test("[MAP1] equal scores go to the smaller name, whatever the order", () => {
    // Two names with one FNV-1a hash score alike on every shard.
    const [one, two] = collision();
    expect(fnv1a32(one)).toBe(fnv1a32(two));
    const pair = [one, two].map((text) => ({ name: text, weight: 1 }));
    const least = [one, two].sort()[0];
    expect(new Set(rendezvousTable(64, pair))).toEqual(new Set([least]));
    expect(new Set(rendezvousTable(64, pair.reverse()))).toEqual(new Set([least]));
  });

  test("[MAP1] weights 1:2:1 take 25, 50 and 25 percent of 8,192 shards, within 3", () => {
    const counts = shares(rendezvousTable(8_192, members(3, [1, 2, 1])));
    for (const [partition, share] of Object.entries({ p0: 25, p1: 50, p2: 25 })) {
      const percent = ((counts.get(partition) ?? 0) / 8_192) * 100;
      expect(Math.abs(percent - share), `${partition} has ${percent} %`).toBeLessThanOrEqual(3);
    }
  });

  test.each([2, 3, 5, 16, 64])("[MAP1] %i equal partitions share evenly (chi-squared)", (count) => {
    const counts = shares(rendezvousTable(8_192, members(count)));
    const expected = 8_192 / count;
    let statistic = 0;
    for (const { name } of members(count)) statistic += ((counts.get(name) ?? 0) - expected) ** 2 / expected;
    // Mean + 4 standard deviations of the distribution with count - 1 degrees of freedom.
    expect(statistic).toBeLessThan(count - 1 + 4 * Math.sqrt(2 * (count - 1)));
  });

  test("[MAP1] neighbouring shards are independent: owners repeat as often as by chance", () => {
    const table = rendezvousTable(8_192, members(4));
    const repeats = table.filter((owner, shard) => shard > 0 && owner === table[shard - 1]).length;
    expect(Math.abs(repeats / 8_191 - 0.25)).toBeLessThan(0.025);
  });

  test("[MAP1] one partition owns everything; none is a mistake", () => {
    expect(shares(rendezvousTable(64, members(1)))).toEqual(new Map([["p0", 64]]));
    expect(() => rendezvousOwner(0, [])).toThrow("at least one partition");
  });

  // Unclaimed shards belong to whoever this function says: were it ever to answer differently, two versions of the code
  // would disagree about who owns what. These vectors must never change.
  test.each([
    ["p0–p3", members(4), "32112212210231223132032313011033"],
    ["p0–p2, 1:2:1", members(3, [1, 2, 1]), "12112212110111110111111111011011"],
    [
      "names and fractions",
      [
        { name: "eu-west", weight: 0.5 },
        { name: "us_east", weight: 1.5 },
        { name: "A", weight: 1 },
      ],
      "AueeAueuuuuuAuAAAueAuueuAeeuAAAA",
    ],
  ])("[MAP1] golden: the first 32 shards of %s", (_, list, owners) => {
    const letter = (owner: string) => (/^p\d$/.test(owner) ? owner.slice(1) : owner.slice(0, 1));
    expect(
      rendezvousTable(32, list as Member[])
        .map(letter)
        .join(""),
    ).toBe(owners);
  });

  test.each([
    [8_192, members(2), 0xc5492db2],
    [8_192, members(7), 0xc7518284],
    [8_192, members(64), 0xbf4f50cb],
    [8_192, members(3, [1, 2, 1]), 0xa3236230],
    [65_536, members(5, [1, 2, 3.5]), 0x97604101],
  ])("[MAP1] golden: the hash of whole tables, %i shards", (shards, list, hash) => {
    expect(fnv1a32(rendezvousTable(shards, list).join(","))).toBe(hash);
  });

  test("[MAP1] a cold router can afford its first call: a table of 8,192 × 64 takes well under a second", () => {
    const started = performance.now();
    rendezvousTable(8_192, members(64));
    expect(performance.now() - started).toBeLessThan(500);
  });
});

/** Finds two valid partition names with the same hash; a birthday search of some 80,000 names. */
function collision(): [string, string] {
  const seen = new Map<number, string>();
  for (let index = 0; ; index++) {
    const candidate = `p${index.toString(36)}`;
    const hash = fnv1a32(candidate);
    const other = seen.get(hash);
    if (other !== undefined) return [other, candidate];
    seen.set(hash, candidate);
  }
}

import { TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { Wallet } from "../../examples/wallet.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { fnv1a32 } from "../../src/identity/fnv1a.ts";
import { checkType, isPartitionName, MAX_SHARDS, placementOf, shardOf } from "../../src/identity/object-id.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const WORD = `${LETTERS}0123456789_`;

/** Code points an id may hold: no controls, no surrogates, no slash. */
const idPoint = fc
  .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0xa0, max: 0x10ffff }))
  .filter((point) => point !== 0x2f && (point < 0xd800 || point > 0xdfff))
  .map((point) => String.fromCodePoint(point));
const bytes = (text: string) => Buffer.byteLength(text, "utf8");
const plainId = fc
  .array(idPoint, { minLength: 1, maxLength: 128 })
  .map((points) => points.join(""))
  .filter((id) => bytes(id) <= 512);

function codeOf(action: () => unknown): string {
  try {
    action();
    return "accepted";
  } catch (error) {
    return error instanceof EdgeverseError ? error.code : `not an EdgeverseError: ${String(error)}`;
  }
}

describe("types", () => {
  const type = fc
    .tuple(fc.constantFrom(...LETTERS), fc.string({ unit: fc.constantFrom(...WORD), maxLength: 63 }))
    .map((parts) => parts.join(""));

  test("[ID1] a letter and up to 63 letters, digits and underscores are a type", () => {
    fc.assert(
      fc.property(type, (name) => {
        expect(codeOf(() => checkType(name))).toBe("accepted");
      }),
    );
  });

  test.each(["", "1A", "_A", "A-b", "A b", "A/b", "A\n", " A", "Ä", "Aé", "A\u0000", "A".repeat(65), "__proto__"])(
    "[ID1] %j is no type",
    (name) => {
      expect(codeOf(() => checkType(name))).toBe("INVALID_ID");
    },
  );

  test("[ID1] whatever the grammar does not match is refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 70 }), (name) => {
        const fits = /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) && !name.includes("\n");
        expect(codeOf(() => checkType(name))).toBe(fits ? "accepted" : "INVALID_ID");
      }),
    );
  });
});

describe("ids", () => {
  test("[ID1] [ID2] any text of 1–512 bytes without controls and slashes is an id, placed by its hash", () => {
    fc.assert(
      fc.property(plainId, (id) => {
        expect(placementOf(id)).toEqual({ kind: "hash", hash: fnv1a32(id) });
      }),
      { numRuns: 1_000 },
    );
  });

  test.each(["a", " ", "a b", ".", "..", "a%2Fb", "%", "?", "#", "shard#", "shard#5", "partition#p0", "日本", "😀"])(
    "[ID1] %j is an id",
    (id) => {
      expect(placementOf(id).kind).toBe("hash");
    },
  );

  test.each([
    ["empty", ""],
    ["NUL", "a\u0000b"],
    ["newline", "a\n"],
    ["escape", "\u001b"],
    ["DEL", "a\u007f"],
    ["C1", "a\u0085b"],
    ["last C1", "\u009f"],
    ["high half", "a\ud83d"],
    ["low half", "\ude00a"],
    ["halves in the wrong order", "\ude00\ud83d"],
    ["two high halves", "\ud83d\ud83d\ude00"],
    ["slash alone", "/"],
    ["leading slash", "/a"],
    ["trailing slash", "a/"],
    ["a slash in a plain id", "a/b"],
    ["an unknown prefix", "region#eu/a"],
    ["prefix of another case", "Shard#1/a"],
    ["space before the prefix", " shard#1/a"],
    ["fixed without a rest", "shard#1/"],
    ["fixed with two slashes", "shard#1/a/b"],
    ["no shard number", "shard#/a"],
    ["a signed shard", "shard#+1/a"],
    ["a negative shard", "shard#-1/a"],
    ["a hexadecimal shard", "shard#0x1/a"],
    ["an exponent", "shard#1e3/a"],
    ["a fraction", "shard#1.0/a"],
    ["a leading zero", "shard#01/a"],
    ["a space in the number", "shard# 1/a"],
    ["digits of another script", "shard#١/a"],
    ["a shard no cluster has", `shard#${MAX_SHARDS}/a`],
    ["a shard of many digits", `shard#${"9".repeat(40)}/a`],
    ["no partition name", "partition#/a"],
    ["partition without a rest", "partition#p0/"],
    ["partition with two slashes", "partition#p0/a/b"],
    ["a partition name with a dot", "partition#p.0/a"],
    ["a partition name that begins with a dash", "partition#-p/a"],
    ["a partition name that is too long", `partition#${"p".repeat(64)}/a`],
    ["controls after a prefix", "shard#1/a\u0000"],
  ])("[ID1] refused: %s", (_, id) => {
    expect(codeOf(() => placementOf(id))).toBe("INVALID_ID");
  });

  test("[ID1] one control character or half a pair anywhere spoils an id", () => {
    const bad = fc.oneof(
      fc.integer({ min: 0, max: 0x1f }),
      fc.integer({ min: 0x7f, max: 0x9f }),
      fc.integer({ min: 0xd800, max: 0xdfff }),
    );
    // ASCII around it, so that no half finds its other half.
    const ascii = fc.string({ unit: fc.constantFrom(..."abz019 ~#"), maxLength: 20 });
    fc.assert(
      fc.property(ascii, bad, ascii, (before, code, after) => {
        const id = before + String.fromCharCode(code) + after;
        expect(codeOf(() => placementOf(id))).toBe("INVALID_ID");
      }),
    );
  });

  test.each([
    ["one byte", "a", 512],
    ["two bytes", "é", 256],
    ["four bytes, a surrogate pair", "😀", 128],
  ])("[ID1] the limit is 512 bytes of UTF-8: characters of %s", (_, character, times) => {
    expect(bytes(character.repeat(times))).toBe(512);
    expect(placementOf(character.repeat(times)).kind).toBe("hash");
    expect(codeOf(() => placementOf(`${character.repeat(times)}a`))).toBe("INVALID_ID");
    expect(codeOf(() => placementOf(character.repeat(times + 1)))).toBe("INVALID_ID");
  });

  test("[ID1] 512 bytes of three-byte characters and two more fit, three more do not", () => {
    const most = "日".repeat(170);
    expect(placementOf(`${most}ab`).kind).toBe("hash");
    expect(placementOf(`${most}é`).kind).toBe("hash");
    expect(codeOf(() => placementOf(`${most}abc`))).toBe("INVALID_ID");
    expect(codeOf(() => placementOf(`${most}日`))).toBe("INVALID_ID");
  });

  test("[ID1] the byte limit holds for any mixture, also for fixed ids", () => {
    const mixture = fc.array(fc.constantFrom("a", "é", "日", "😀"), { minLength: 140, maxLength: 300 });
    fc.assert(
      fc.property(mixture, fc.constantFrom("", "shard#7/", "partition#p0/"), (points, prefix) => {
        const id = prefix + points.join("");
        expect(codeOf(() => placementOf(id))).toBe(bytes(id) <= 512 ? "accepted" : "INVALID_ID");
      }),
    );
  });

  test("[ID1] an error shows what was wrong, shortened and printable", () => {
    const long = `${"x".repeat(79)}😀${"y".repeat(600)}`;
    expect(() => placementOf(long)).toThrow(/^Cannot use id ".{0,90}…": it is longer than 512 bytes of UTF-8$/);
    expect(() => placementOf("a\u0000")).toThrow('"a\\u0000"');
  });
});

describe("fixed ids", () => {
  test("[ID3] `shard#n/rest` lives on shard n, and stays there when the count doubles", () => {
    fc.assert(
      fc.property(
        fc.nat(MAX_SHARDS - 1),
        plainId.filter((id) => bytes(id) < 500),
        (shard, rest) => {
          const placement = placementOf(`shard#${shard}/${rest}`);
          expect(placement).toEqual({ kind: "shard", hash: shard });
          if (placement.kind === "partition") throw new Error("unreachable");
          for (let count = MAX_SHARDS; count > shard; count /= 2) expect(shardOf(placement, count)).toBe(shard);
        },
      ),
    );
  });

  test("[ID3] a shard that the cluster does not have is refused", () => {
    const at = (id: string) => placementOf(id) as { kind: "shard"; hash: number };
    expect(shardOf(at("shard#15/a"), 16)).toBe(15);
    expect(codeOf(() => shardOf(at("shard#16/a"), 16))).toBe("INVALID_ID");
    expect(shardOf(at("shard#0/a"), 1)).toBe(0);
    expect(codeOf(() => shardOf(at("shard#1/a"), 1))).toBe("INVALID_ID");
  });

  test("[ID4] `partition#name/rest` lives on that partition", () => {
    for (const name of ["p0", "P", "0", "eu-west_1", "p".repeat(63)]) {
      expect(placementOf(`partition#${name}/rest`)).toEqual({ kind: "partition", partition: name });
      expect(isPartitionName(name)).toBe(true);
    }
    for (const name of ["", "-p", "_p", "p.0", "p/0", "p ", "p".repeat(64), "ü"]) {
      expect(isPartitionName(name)).toBe(false);
    }
  });

  test("[ID2] the shard of a hashed id is its remainder, below the count for every power of two", () => {
    fc.assert(
      fc.property(plainId, fc.integer({ min: 0, max: 16 }), (id, power) => {
        const placement = placementOf(id);
        if (placement.kind === "partition") throw new Error("unreachable");
        expect(shardOf(placement, 2 ** power)).toBe(fnv1a32(id) % 2 ** power);
      }),
    );
  });

  test("[ID5] two types may use the same id: they share its shard and nothing else", async () => {
    const cluster = new TestCluster({ objects: [Counter, Wallet], partitions: 3 });
    for (const id of ["a", "shard#5/a", "partition#p2/a"]) {
      await cluster.call("Counter", id, "add", { by: 1 });
      await cluster.call("Wallet", id, "deposit", { amount: 2 });
      expect(await cluster.call("Counter", id, "get")).toEqual({ value: 1 });
      expect(await cluster.call("Wallet", id, "getBalance")).toEqual({ balance: 2 });
      const rows = cluster
        .storage(cluster.router.owner({ type: "T", id }))
        .query("SELECT type, position FROM objects WHERE id = ? ORDER BY type", id);
      expect(rows).toEqual([
        { type: "Counter", position: rows[0]?.position },
        { type: "Wallet", position: rows[0]?.position },
      ]);
    }
  });
});

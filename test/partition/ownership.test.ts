import { ManualClock, SqliteStorage } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { configSchema } from "../../src/config/config.ts";
import { Coordinator } from "../../src/coordinator/coordinator.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { FIXED_POSITION, positionOf } from "../../src/identity/hash-order.ts";
import { placementOf } from "../../src/identity/object-id.ts";
import { Registry } from "../../src/object/registry.ts";
import { Partition } from "../../src/partition/partition.ts";
import type { Bootstrap } from "../../src/partition/ports.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { Turn } from "../../src/partition/turns/turn.ts";
import { type Genesis, ShardMap } from "../../src/placement/shard-map.ts";
import { LiveSettings } from "../../src/settings/live-settings.ts";
import { reconcileReport } from "../support/reconcile-report.ts";

const GENESIS: Genesis = { shards: 64, members: ["p0", "p1", "p2"].map((name) => ({ name, weight: 1 })) };
const MAP = new ShardMap({ version: 1, genesis: GENESIS, exceptions: [] });
const NOW = 1_800_000_000_000;

function setup(name = "p0", storage = new SqliteStorage()) {
  migrate(storage);
  if (Ownership.stored(storage) === undefined) Ownership.bootstrap(storage, name, GENESIS, GENESIS.shards);
  const ownership = new Ownership(name, GENESIS, storage, new Registry([]));
  const claims = () => storage.query("SELECT shard, epoch, claimed FROM shards ORDER BY shard");
  return { storage, ownership, claims };
}

/** A shard by who owns it. */
const shardOfOwner = (owner: string) =>
  Array.from({ length: 64 }, (_, shard) => shard).find((shard) => MAP.owner(shard) === owner) as number;

describe("Ownership", () => {
  test("[OWN1] the first call claims its shard in a row, written by the time it may be served", () => {
    const { ownership, claims } = setup();
    const shard = shardOfOwner("p0");
    expect(claims()).toEqual([]);
    const owned = ownership.locate(placementOf(`shard#${shard}/a`), NOW);
    expect(owned).toEqual({ kind: "owned", shard, epoch: 1, position: positionOf(shard) });
    expect(claims()).toEqual([{ shard, epoch: 1, claimed: NOW }]);
    ownership.locate(placementOf(`shard#${shard}/b`), NOW + 5);
    expect(claims()).toEqual([{ shard, epoch: 1, claimed: NOW }]);
    expect([...ownership.owned()]).toEqual([[shard, 1]]);
  });

  test("[OWN1] a claim that can't be written is no claim: nothing is served, and it is tried again", () => {
    const { storage, ownership } = setup();
    const placement = placementOf(`shard#${shardOfOwner("p0")}/a`);
    storage.onQuery = (sql) => {
      if (sql.startsWith("INSERT INTO shards")) throw new Error("disk full");
    };
    for (let attempt = 0; attempt < 2; attempt++) expect(() => ownership.locate(placement, NOW)).toThrow("disk full");
    expect([...ownership.owned()]).toEqual([]);
    storage.onQuery = undefined;
    expect(ownership.locate(placement, NOW).kind).toBe("owned");
  });

  test("[MAP3] any other shard is MOVED to its owner by the map, and not claimed", () => {
    const { ownership, claims } = setup("p0");
    for (let shard = 0; shard < 64; shard++) {
      const located = ownership.locate(placementOf(`shard#${shard}/a`), NOW);
      if (MAP.owner(shard) === "p0") expect(located).toMatchObject({ kind: "owned", shard });
      else
        expect(located).toMatchObject({ kind: "moved", shard, partition: MAP.owner(shard), epoch: 1, mapVersion: 1 });
    }
    expect(claims()).toHaveLength([...Array(64).keys()].filter((shard) => MAP.owner(shard) === "p0").length);
  });

  test("[OWN1] of all partitions exactly one serves any id, and all others name it; epochs begin at 1", () => {
    const partitions = ["p0", "p1", "p2"].map((name) => setup(name).ownership);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii", minLength: 1 }), (text) => {
        const id = text.replaceAll("/", "-");
        const answers = partitions.map((ownership) => ownership.locate(placementOf(id), NOW));
        const owners = partitions.filter((_, index) => answers[index]?.kind === "owned");
        expect(owners).toHaveLength(1);
        for (const answer of answers) {
          expect("epoch" in answer && answer.epoch).toBeGreaterThanOrEqual(1);
          if (answer.kind === "moved") expect(answer.partition).toBe(owners[0]?.name);
        }
      }),
    );
  });

  test("[OWN2] claims and epochs outlive the process, and a higher epoch in the table is kept", () => {
    const { storage, ownership } = setup();
    const shard = shardOfOwner("p0");
    ownership.locate(placementOf(`shard#${shard}/a`), NOW);
    storage.query("UPDATE shards SET epoch = 7");
    const again = new Ownership("p0", GENESIS, storage, new Registry([]));
    expect(again.locate(placementOf(`shard#${shard}/a`), NOW + 1)).toMatchObject({ kind: "owned", epoch: 7 });
    expect(storage.query("SELECT claimed FROM shards")).toEqual([{ claimed: NOW }]);
  });

  test("[OWN1] a shard that was claimed stays, also where the map would say otherwise", () => {
    const { storage } = setup();
    const shard = shardOfOwner("p1");
    storage.query("INSERT INTO shards (shard, epoch, claimed) VALUES (?, 3, 0)", shard);
    const ownership = new Ownership("p0", GENESIS, storage, new Registry([]));
    expect(ownership.locate(placementOf(`shard#${shard}/a`), NOW)).toMatchObject({ kind: "owned", shard, epoch: 3 });
  });

  test("[ID4] `partition#name/…` is served by that partition alone, on no shard", () => {
    const { ownership, claims } = setup("p1");
    expect(ownership.locate(placementOf("partition#p1/a"), NOW)).toEqual({
      kind: "owned",
      shard: -1,
      epoch: 1,
      position: FIXED_POSITION,
    });
    expect(ownership.locate(placementOf("partition#p2/a"), NOW)).toMatchObject({
      kind: "moved",
      shard: -1,
      partition: "p2",
      epoch: 1,
      mapVersion: 1,
    });
    // Whether there is such a partition the router knows: it may have been added since.
    expect(ownership.locate(placementOf("partition#p3/a"), NOW)).toMatchObject({ kind: "moved", partition: "p3" });
    expect(claims()).toEqual([]);
  });

  test("[ID3] a shard the cluster does not have is INVALID_ID and claims nothing", () => {
    const { ownership, claims } = setup();
    expect(() => ownership.locate(placementOf("shard#64/a"), NOW)).toThrow(
      expect.objectContaining({ code: "INVALID_ID" }),
    );
    expect(claims()).toEqual([]);
  });
});

function processOf(types: Registry) {
  const settings = new LiveSettings({ config: configSchema.parse({}), registry: types });
  return { settings, config: settings.config, registry: settings.registry };
}

describe("bootstrap", () => {
  const partitionOn = (
    storage: SqliteStorage,
    options: { proposal: Genesis; name?: string | undefined; bootstrap?: (proposal: Genesis) => Promise<Bootstrap> },
  ) =>
    new Partition({
      ...processOf(new Registry([Counter])),
      storage,
      clock: new ManualClock(),
      random: { uuid: () => "uuid" },
      scope: { run: (_: Turn, action) => action(), get: () => undefined },
      peers: {
        call: () => Promise.reject(new Error("no peers")),
        batch: () => Promise.reject(new Error("no peers")),
        owner: () => "p1",
      },
      bootstrapper: { bootstrap: options.bootstrap ?? (async (genesis) => ({ genesis, shards: genesis.shards })) },
      connect: () => {
        throw new Error("no partitions");
      },
      loads: { report: async () => undefined },
      log: undefined,
      reconcile: async () => reconcileReport(),
      observer: { methodThrew: () => {}, warn: () => {} },
      proposal: options.proposal,
      name: "name" in options ? options.name : "p0",
    });
  const other: Genesis = { shards: 128, members: [{ name: "p0", weight: 1 }] };

  test("[MAP1] a partition keeps the genesis it was bootstrapped with: a changed proposal changes nothing", async () => {
    const storage = new SqliteStorage();
    const first = await partitionOn(storage, { proposal: GENESIS }).core();
    expect(first.ownership.map.document.genesis).toEqual(GENESIS);
    const again = await partitionOn(storage, {
      proposal: other,
      name: "p2",
      bootstrap: (): Promise<Bootstrap> => Promise.reject(new Error("must not be asked")),
    }).core();
    expect(again.ownership.map.document.genesis).toEqual(GENESIS);
    expect(again.ownership.name).toBe("p0");
  });

  test("[OWN3] a bootstrapped partition starts without the coordinator, and without being told its name", async () => {
    const storage = new SqliteStorage();
    await partitionOn(storage, { proposal: GENESIS, name: "p1" }).core();
    const options = {
      proposal: other,
      name: undefined,
      bootstrap: (): Promise<Bootstrap> => Promise.reject(new Error("unreachable")),
    };
    expect((await partitionOn(storage, options).core()).ownership.name).toBe("p1");
  });

  test("[MAP1] a new partition takes what the coordinator says, not what it proposes itself", async () => {
    const storage = new SqliteStorage();
    const core = await partitionOn(storage, {
      proposal: other,
      bootstrap: async () => ({ genesis: GENESIS, shards: 64 }),
    }).core();
    expect(core.ownership.map.shards).toBe(64);
    expect(Ownership.stored(storage)).toEqual({ name: "p0", genesis: GENESIS });
  });

  test("[MAP1] the first proposal bootstraps the cluster; later ones and malformed ones change nothing", () => {
    const storage = new SqliteStorage();
    const clock = new ManualClock();
    const coordinator = () =>
      new Coordinator({
        storage,
        clock,
        settings: new LiveSettings({ config: configSchema.parse({}) }),
        connect: () => {
          throw new Error("no partitions");
        },
        warn: () => undefined,
      });
    const bootstrapped = { genesis: GENESIS, shards: 64 };
    expect(() => coordinator().bootstrap({ shards: 100, members: [] })).toThrow("malformed");
    expect(coordinator().bootstrap(GENESIS)).toEqual(bootstrapped);
    expect(coordinator().bootstrap(other)).toEqual(bootstrapped);
    expect(coordinator().bootstrap({ shards: 0, members: [] })).toEqual(bootstrapped);
    expect(coordinator().map()).toEqual({
      version: 1,
      genesis: GENESIS,
      shards: 64,
      members: GENESIS.members,
      exceptions: [],
    });
  });

  test("[OWN1] a partition the cluster does not have owns no shard; one without a name does not start", async () => {
    const storage = new SqliteStorage();
    const { ownership } = await partitionOn(storage, { proposal: GENESIS, name: "p9" }).core();
    for (let shard = 0; shard < 64; shard++) {
      expect(ownership.locate(placementOf(`shard#${shard}/a`), NOW)).toMatchObject({
        kind: "moved",
        partition: MAP.owner(shard),
      });
    }
    expect(storage.query("SELECT * FROM shards")).toEqual([]);
    const nameless = partitionOn(new SqliteStorage(), { proposal: GENESIS, name: undefined });
    await expect(nameless.core()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test("[OWN3] a coordinator that is away fails the first start; the next call tries again", async () => {
    let away = true;
    const found = async (proposal: Genesis) => {
      if (away) throw new EdgeverseError("UNAVAILABLE", "away");
      return { genesis: proposal, shards: proposal.shards };
    };
    const partition = partitionOn(new SqliteStorage(), { proposal: GENESIS, bootstrap: found });
    await expect(partition.core()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    away = false;
    expect((await partition.core()).ownership.name).toBe("p0");
  });

  test("[OWN1] many first calls at once bootstrap it once", async () => {
    let asked = 0;
    const found = async (proposal: Genesis) => {
      asked++;
      return { genesis: proposal, shards: proposal.shards };
    };
    const partition = partitionOn(new SqliteStorage(), { proposal: GENESIS, bootstrap: found });
    const cores = await Promise.all(Array.from({ length: 20 }, () => partition.core()));
    expect([asked, new Set(cores).size]).toEqual([1, 1]);
  });
});

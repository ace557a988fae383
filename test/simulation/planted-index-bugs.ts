import { TypeIndexes } from "../../src/object/object-index.ts";
import { IndexBuilder } from "../../src/partition/index-builder.ts";
import { DiskHandle } from "../../src/testing/simulation/sim-storage.ts";
import { instead, type Plant, type PlantedBug } from "./plant.ts";

const last = new Map<string, string>();

/** Keeps from the database what `when` picks out. */
const withheld = (when: (sql: string) => boolean): Plant =>
  instead(
    DiskHandle.prototype,
    "query",
    (real) =>
      function (this: DiskHandle, sql, ...params) {
        return when(sql) ? [] : real.call(this, sql, ...params);
      } as typeof real,
  );

const calledBy = (name: string) => new Error().stack?.includes(name) === true;

/** Bugs of indexes that one could make. */
export const INDEX_BUGS: Readonly<Record<string, PlantedBug>> = {
  "an index has what the object was before its last turn": {
    plant: instead(
      TypeIndexes.prototype,
      "entries",
      (real) =>
        function (this: TypeIndexes, key, state) {
          const entries = real.call(this, key, state);
          const before = last.get(key);
          last.set(key, entries);
          return before ?? entries;
        },
    ),
    within: 100,
  },
  "an object that comes with a move is in no index": {
    plant: withheld((sql) => sql.startsWith("INSERT INTO index_entries") && calledBy("insertRows")),
    within: 1_000,
  },
  "an object that has left stays in the indexes": {
    plant: withheld((sql) => sql.startsWith("CREATE TRIGGER objects_deleted")),
    within: 1_000,
  },
  "stored objects are not indexed anew when the indexes are others": {
    plant: instead(IndexBuilder.prototype, "resume", () => () => undefined),
    within: 1_000,
  },
  "objects that come from older code are not indexed anew": {
    plant: instead(IndexBuilder.prototype, "arrived", () => () => undefined),
    within: 1_000,
    seed: 12,
  },
};

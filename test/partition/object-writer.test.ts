import { describe, expect, test } from "vitest";
import { groupCommit, Thing } from "./commit-fixture.ts";

function setup() {
  const made = groupCommit();
  const { storage, commit } = made;
  /** A commit of what these hold. */
  const save = (...things: Thing[]) => {
    for (const thing of things) commit.changed(thing);
    commit.flush();
  };
  const rows = () =>
    storage
      .query("SELECT position, id, key, value FROM rows ORDER BY position, id, key")
      .map((row) => Object.values(row).join(" "));
  return { ...made, save, rows };
}

const thing = (id: string, rows: Record<string, string | null>, position = 7) =>
  Object.assign(new Thing(id, "{}", position), { rows: new Map(Object.entries(rows)) });

describe("[TURN4] what a commit writes of an object", () => {
  test("is its state, by its place, with the version of its shape", () => {
    const { storage, save } = setup();
    save(new Thing("a", "1"), new Thing("a", "2", 8), Object.assign(new Thing("b", "3"), { version: 4 }));
    save(new Thing("a", "5"));
    expect(storage.query("SELECT position, type, id, version, state FROM objects ORDER BY position, id")).toEqual([
      { position: 7, type: "T", id: "a", version: 1, state: "5" },
      { position: 7, type: "T", id: "b", version: 4, state: "3" },
      { position: 8, type: "T", id: "a", version: 1, state: "2" },
    ]);
  });

  test("is the rows that it has put and removed, and no others", () => {
    const { save, rows } = setup();
    save(thing("a", { k: "1", l: "1" }), thing("b", { k: "1" }), thing("a", { k: "1" }, 8));
    save(thing("a", { k: "2", l: null, m: "2", none: null }));
    expect(rows()).toEqual(["7 a k 2", "7 a m 2", "7 b k 1", "8 a k 1"]);
  });

  test("[LIFE3] is nothing once it is deleted; what it has put since is there", () => {
    const { save, rows, ids } = setup();
    save(thing("a", { k: "1", l: "1" }), thing("b", { k: "1" }), thing("c", { k: "1" }));
    save(
      Object.assign(new Thing("a"), { exists: false, wiped: true }),
      Object.assign(thing("b", { m: "2" }), { wiped: true }),
    );
    expect(ids()).toEqual(["b", "c"]);
    expect(rows()).toEqual(["7 b m 2", "7 c k 1"]);
  });
});

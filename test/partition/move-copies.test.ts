import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShardMap } from "../../src/placement/shard-map.ts";
import { setup } from "./box-fixture.ts";
import { Box, clock, setup as clusterOf } from "./move-fixture.ts";

describe("what moves", () => {
  test("[MIG3] thousands of rows in chunks, changed and deleted while they are copied", async () => {
    const { made, ownerOf, other, move } = setup(2, { shards: 1, maxObjects: 500 });
    const ids = Array.from({ length: 1_200 }, (_, index) => `o${index}`);
    for (const id of ids) void made.send("Box", id, "add");
    await clock.advance(50);
    for (let key = 0; key < 900; key++)
      void made.send("Box", "rows", "keep", { key: `k${key}`, value: "x".repeat(300) });
    await clock.advance(50);
    const [from, to] = [ownerOf("rows"), other("rows")];
    await move("rows", to);
    for (let round = 0; round < 40; round++) {
      void made.send("Box", ids[(round * 37) % 1_200] as string, "add");
      void made.send("Box", "rows", "keep", { key: `k${round * 20}`, value: "y" });
      void made.lifecycle("delete", "Box", ids[(round * 53 + 1) % 1_200] as string).catch(() => undefined);
      if (round === 20) void made.lifecycle("delete", "Box", "rows").catch(() => undefined);
      await clock.advance(1);
    }
    await clock.advance(3_000);
    expect(ownerOf("rows")).toBe(to);
    const expected = new Map(ids.map((id) => [id, 1]));
    for (let round = 0; round < 40; round++) {
      const added = ids[(round * 37) % 1_200] as string;
      expected.set(added, (expected.get(added) ?? 0) + 1);
      expected.set(ids[(round * 53 + 1) % 1_200] as string, 0);
    }
    for (const id of ids.filter((_, index) => index % 17 === 0))
      expect(await made.call("Box", id, "get"), id).toBe(expected.get(id));
    const rows = (await made.call("Box", "rows", "rows")) as string[];
    expect(rows.sort()).toEqual(Array.from({ length: 19 }, (_, index) => `k${(index + 21) * 20}=y`).sort());
    expect(made.storage(from).query("SELECT count(*) AS n FROM objects")).toEqual([{ n: 0 }]);
    expect(made.warnings).toEqual([]);
  });

  test("[MIG2] [MIG3] any writes at any time between the messages: what arrives is what was written", async () => {
    const pool = Array.from({ length: 450 }, (_, index) => (index % 9 === 0 ? `ü${index}\u{1f600}` : `o${index}`));
    const write = fc.record({
      at: fc.nat(pool.length - 1),
      what: fc.constantFrom("add", "keep", "delete", "renew", "reliable"),
      pause: fc.constantFrom(0, 0, 0, 1, 2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 20, maxLength: 120 }), async (writes) => {
        const { made, ownerOf, other, move } = setup(2, { shards: 1, maxObjects: 100 });
        const model = new Map<string, { n: number; rows: Map<string, string> }>();
        const last = new Map<string, Promise<unknown>>();
        /** Calls of one object one after the other: nothing orders two plain calls that are under way at once. */
        const then = (id: string, send: () => Promise<unknown>) => {
          last.set(id, (last.get(id) ?? Promise.resolve()).then(send));
          const known = model.get(id) ?? { n: 0, rows: new Map<string, string>() };
          model.set(id, known);
          return known;
        };
        const keep = (id: string, key: string, value: string) =>
          then(id, () => made.send("Box", id, "keep", { key, value })).rows.set(key, value);
        const add = (id: string, callId?: string) => {
          then(id, () => made.send("Box", id, "add", undefined, callId === undefined ? {} : { callId })).n++;
        };
        for (const [index, id] of pool.entries()) {
          if (index % 2 === 0) keep(id, `k${index % 5}`, "0");
          if (index % 3 !== 0) add(id);
        }
        await clock.advance(50);
        const to = other("any");
        await move("any", to);
        for (const [step, { at, what, pause }] of writes.entries()) {
          const id = pool[at] as string;
          if (what === "delete" || what === "renew") {
            then(id, () => made.lifecycle("delete", "Box", id));
            model.delete(id);
          }
          if (what === "keep" || what === "renew") keep(id, `k${step % 7}`, String(step));
          if (what === "add") add(id);
          if (what === "reliable") add(id, `c${step}`);
          await clock.advance(pause);
        }
        let settled = false;
        void Promise.all(last.values()).finally(() => {
          settled = true;
        });
        for (let round = 0; round < 100 && !settled; round++) await clock.advance(100);
        await clock.advance(1_000);
        expect(ownerOf("any")).toBe(to);
        expect(await made.coordinator.moves({ limit: 9 })).toMatchObject([{ phase: "done", trouble: null }]);
        for (const id of pool) {
          const { n, rows } = model.get(id) ?? { n: 0, rows: new Map<string, string>() };
          expect([id, await made.call("Box", id, "get")]).toEqual([id, n]);
          const kept = (await made.call("Box", id, "rows")) as string[];
          expect([id, kept.sort()]).toEqual([id, [...rows].map(([key, value]) => `${key}=${value}`).sort()]);
        }
        expect(made.warnings).toEqual([]);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test("[MIG3] [CALL3] [CALL4] calls in line run at the new owner, in order of acceptance", async () => {
    const { made, ownerOf, other, move } = setup();
    await made.call("Box", "a", "get");
    const to = other("a");
    void made.send("Box", "a", "slow", { ms: 50 }, { callId: "c0" });
    for (let n = 1; n < 6; n++) void made.send("Box", "a", "add", undefined, { callId: `c${n}`, answer: "accepted" });
    await clock.advance(5);
    await move("a", to);
    await clock.advance(3_000);
    expect(ownerOf("a")).toBe(to);
    const marks = made.storage(to).query("SELECT call_id, status, response, epoch FROM calls ORDER BY seq");
    expect(marks.map(({ call_id: id, response }) => `${id}=${response}`)).toEqual([
      "c0=1",
      "c1=2",
      "c2=3",
      "c3=4",
      "c4=5",
      "c5=6",
    ]);
    expect(marks.at(-1)).toMatchObject({ status: "success", epoch: 2 });
  });
});

describe("crashes", () => {
  /** The process of `name` ends right after so many commits from the move on. */
  const names = ["source", "target", "coordinator"];
  const points = names.flatMap((name) => Array.from({ length: 14 }, (_, index) => [name, index + 1] as const));
  test.each(points)(
    "[MIG4] %s after commit %i of a move: it completes or is undone, and nothing is lost",
    async (name, afterCommits) => {
      const { made, ownerOf, other } = clusterOf([Box], 1, 2);
      for (const id of ["a", "b"]) await made.call("Box", id, "add");
      await made.call("Box", "a", "add", undefined, { callId: "x" });
      const [from, to] = [ownerOf("a"), other("a")];
      if (name === "coordinator") made.crashCoordinator({ afterCommits });
      else made.crash(name === "source" ? from : to, { afterCommits });
      // A coordinator that dies answers nobody.
      void made.command({ kind: "move-shard", shard: 0, to }).catch(() => undefined);
      const calls = Array.from({ length: 10 }, (_, n) => {
        const reply = new Promise<unknown>((resolve) =>
          clock.after(n * 3, () =>
            resolve(made.send("Box", "b", "add", undefined, { callId: `n${n}`, timeout: 60_000 })),
          ),
        );
        return reply;
      });
      await clock.advance(120_000);
      const answered = await Promise.race([
        Promise.all(calls),
        clock.advance(1).then(() => "some call is not answered"),
      ]);
      if (name === "coordinator") expect(answered).toHaveLength(10);
      // A repetition of each finds it done, once.
      for (let n = 0; n < 10; n++) {
        const again = made.send("Box", "b", "add", undefined, { callId: `n${n}`, timeout: 10_000 });
        await clock.advance(1_000);
        expect((await again).kind, JSON.stringify(await again)).toBe("response");
      }
      expect(await made.call("Box", "b", "get")).toBe(11);
      expect(await made.call("Box", "a", "get")).toBe(2);
      expect(await made.call("Box", "a", "add", undefined, { callId: "x" })).toBe(2);
      const moves = await made.coordinator.moves({ limit: 5 });
      for (const { phase } of moves) expect(["done", "undone"]).toContain(phase);
      const owners: string[] = [];
      for (const each of ["p0", "p1"])
        if ([...(await made.partition(each).core()).ownership.owned()].length > 0) owners.push(each);
      expect(owners).toEqual([new ShardMap(made.coordinator.map() as never).owner(0)]);
    },
  );
});

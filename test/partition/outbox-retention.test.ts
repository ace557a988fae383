import { type CallOutcome, callOutcome, method, VirtualObject } from "edgeverse";
import { SqliteStorage, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";

/** Forgets its calls after a minute. */
class Short extends VirtualObject.withState(
  z.object({ got: z.number().default(0), heard: z.array(z.string()).default([]) }),
) {
  static override readonly type = "Short";
  static override readonly retention = "1m";
  static override readonly methods = {
    send: method({ request: z.object({ to: z.string() }) }),
    take: method({}),
    heard: method({ internal: true, request: callOutcome }),
    read: method({ readonly: true }),
  };
  send({ to }: { to: string }) {
    this.outbox(Short, to).take();
    this.outbox(Short, to, { onOutcome: "heard" }).take();
  }
  take() {
    this.state.got++;
  }
  heard(outcome: CallOutcome) {
    this.state.heard.push(outcome.status === "success" ? "success" : outcome.error.code);
  }
  read() {
    return this.state;
  }
}

test("[CALL7] [CALL9] a call that waited for longer than its receiver keeps marks is told of, and not run", async () => {
  const cluster = new TestCluster({ objects: [Short], partitions: 2 });
  const on = (partition: string) => {
    for (let index = 0; ; index++) if (cluster.ownerOf(Short, `${index}`) === partition) return `${index}`;
  };
  const [ann, bob] = [on("p0"), on("p1")];
  cluster.unreachable.add("p1");
  await cluster.object(Short, ann).send({ to: bob });
  await cluster.clock.advance(120_000);
  cluster.unreachable.delete("p1");
  await cluster.clock.advance(120_000);
  expect(await cluster.object(Short, bob).read()).toMatchObject({ got: 0 });
  expect(await cluster.object(Short, ann).read()).toMatchObject({ heard: ["EXPIRED_CALL_ID"] });
  const told = cluster.warnings.filter(({ event }) => event.startsWith("a message waited"));
  expect(told).toMatchObject([{ details: { type: "Short", id: ann, to: { type: "Short", id: bob }, method: "take" } }]);
  expect(cluster.storage("p0").query("SELECT * FROM outbox")).toEqual([]);
  cluster.stop();
});

/** A database that does not remove messages while it is told so. */
class KeepingStorage extends SqliteStorage {
  keeps = false;
  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    if (this.keeps && sql.startsWith("DELETE FROM outbox")) throw new Error("disk I/O error");
    return super.query<Row>(sql, ...params);
  }
}

test("[CALL7] [CALL9] the mark of an outcome that was told stays while it may be told again", async () => {
  const storage = new KeepingStorage();
  const storageOf = (name: string) => (name === "p0" ? storage : new SqliteStorage());
  const cluster = new TestCluster({ objects: [Short], partitions: 1, storageOf });
  storage.keeps = true;
  await cluster.object(Short, "ann").send({ to: "bob" });
  await cluster.clock.advance(120_000);
  expect(await cluster.object(Short, "ann").read()).toMatchObject({ heard: ["success"] });
  const sweep = async () => {
    const { marks } = await cluster.partition("p0").core();
    marks.step({ before: cluster.clock.now() - 60_000, dryRun: false, after: null });
  };
  await sweep();
  await cluster.clock.advance(60_000);
  expect(await cluster.object(Short, "ann").read()).toMatchObject({ heard: ["success"] });
  storage.keeps = false;
  await cluster.clock.advance(120_000);
  expect(await cluster.object(Short, "ann").read()).toMatchObject({ heard: ["success"] });
  expect(storage.query("SELECT * FROM outbox")).toEqual([]);
  await sweep();
  expect(storage.query("SELECT * FROM marks")).toEqual([]);
  cluster.stop();
});

import { env, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { Metered, meterStorage, read, reset } from "../../bench/cost/meter.ts";

test("the meter counts what SQLite in workerd counts: rows of indexes too, deletes, and alarms", async () => {
  await runInDurableObject(env.PARTITION.getByName("metered"), async (_, { storage }) => {
    const metered = new Metered("PARTITION", "metered");
    meterStorage(storage, metered);
    const written = (query: string) => {
      reset();
      storage.sql.exec(query).toArray();
      return read().rowsWritten;
    };
    storage.sql.exec("CREATE TABLE plain (id TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
    storage.sql.exec("CREATE TABLE indexed (id TEXT PRIMARY KEY, value TEXT)");
    expect(written("INSERT INTO plain VALUES ('a', 'x')")).toBe(1);
    expect(written("INSERT INTO indexed VALUES ('a', 'x')")).toBe(2);
    expect(written("UPDATE plain SET value = 'y'")).toBe(1);
    expect(written("DELETE FROM plain WHERE id = 'nobody'")).toBe(0);
    expect(written("DELETE FROM plain")).toBe(1);
    reset();
    await storage.setAlarm(Date.now() + 60_000);
    expect(read()).toMatchObject({ alarms: 1, rowsWritten: 1 });
    expect(metered.due).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

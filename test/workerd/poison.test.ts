import { env, runInDurableObject, SELF } from "cloudflare:test";
import { expect, test } from "vitest";

async function call(type: string, id: string, name: string, request: unknown) {
  const url = `http://host/api/v1/objects/call/${type}/${encodeURIComponent(id)}/${name}`;
  const answer = await SELF.fetch(url, { method: "POST", body: JSON.stringify({ request }) });
  return (await answer.json()) as { response?: { value: number }; code?: string };
}

/** Makes the real database of a partition refuse objects with this in their id. */
function refuse(marker: string | null): Promise<void> {
  return runInDurableObject(env.PARTITION.getByName("p0"), (_, state) => {
    state.storage.sql.exec("DROP TRIGGER IF EXISTS poison");
    if (marker === null) return;
    state.storage.sql.exec(
      `CREATE TRIGGER poison BEFORE INSERT ON objects WHEN instr(NEW.id, '${marker}') > 0
       BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`,
    );
  });
}

const on = (id: string) => `partition#p0/${id}`;

test("[TURN4] workerd's database refuses one object: the others of the commit are stored, and nothing restarts", async () => {
  await call("Counter", on("warm"), "add", { by: 1 });
  await refuse("bad");
  const ids = ["a", "bad", "b", "c"];
  for (let round = 1; round <= 3; round++) {
    const replies = await Promise.all(ids.map((id) => call("Counter", on(id), "add", { by: 1 })));
    expect(replies.map(({ response, code }) => response?.value ?? code)).toEqual([
      round,
      "COMMIT_REFUSED",
      round,
      round,
    ]);
  }
  await refuse(null);
  expect(await call("Counter", on("bad"), "add", { by: 1 })).toEqual({ response: { value: 1 } });
});

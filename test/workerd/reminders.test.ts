import { env, runInDurableObject, SELF } from "cloudflare:test";
import { expect, test, vi } from "vitest";

const ID = "partition#p0/bell";
const YEAR = 365 * 24 * 3_600_000;

async function call<T>(name: string, request: unknown = {}): Promise<T> {
  const url = `http://host/api/v1/objects/call/Bell/${encodeURIComponent(ID)}/${name}`;
  const answer = await SELF.fetch(url, { method: "POST", body: JSON.stringify({ request }) });
  const { response, message } = (await answer.json()) as { response: T; message?: string };
  expect(message).toBeUndefined();
  return response;
}

test("[TIME1] [TIME3] in workerd reminders call, by its calendar too, and its alarm is at the next", async () => {
  const summer = await call<number>("set", {
    name: "summer",
    time: { cron: "0 9 1 7 *", timeZone: "Europe/Berlin" },
  });
  expect(new Date(summer).toISOString()).toMatch(/-07-01T07:00:00.000Z$/);
  const winter = await call<number>("set", {
    name: "winter",
    time: { cron: "0 9 1 1 *", timeZone: "Europe/Berlin" },
  });
  expect(new Date(winter).toISOString()).toMatch(/-01-01T08:00:00.000Z$/);
  const due = await call<number>("set", { name: "soon", time: { after: 500 } });
  await call("set", { name: "tick", time: { cron: "* * * * * *", timeZone: "Europe/Berlin" } });
  await vi.waitUntil(async () => (await call<string[]>("rang")).length >= 3, { timeout: 20_000, interval: 200 });
  expect(await call("forgetIt", { name: "tick" })).toBe(true);
  const rang = await call<string[]>("rang");
  expect(rang).toContain(`soon ${due}`);
  expect(new Set(rang).size).toBe(rang.length);
  await vi.waitUntil(
    async () => {
      const alarm = await runInDurableObject(env.PARTITION.getByName("p0"), (_, state) => state.storage.getAlarm());
      return alarm !== null && alarm <= Math.min(summer, winter) && alarm < Date.now() + YEAR;
    },
    { timeout: 20_000, interval: 200 },
  );
});

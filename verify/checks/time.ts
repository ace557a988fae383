import type { Check } from "../check.ts";
import { bodyOf, equal, isProblem } from "../expect.ts";

export const timeChecks: readonly Check[] = [
  {
    rule: "TIME1",
    title: "an object is called by its reminders when they are due, once each, and not by one that it has forgotten",
    needs: ["probes"],
    async run({ probe, sleep }) {
      const object = probe();
      await object.call("remindMe", { after: 500, texts: ["a", "b", "forgotten"], forget: "forgotten" });
      const notes = async () => (await object.call("get")).notes;
      for (let heard = await notes(); heard.length < 2; heard = await notes()) await sleep(100);
      await sleep(1_000);
      equal((await notes()).sort(), ["a in time", "b in time"], "what its reminders have left");
    },
  },
  {
    rule: "TIME7",
    title:
      "a reliable call with Edgeverse-Not-Before is accepted, shown as waiting, and made once, and not before its time",
    needs: ["probes"],
    async run({ probe, name, sleep }) {
      const [object, callId] = [probe(), name()];
      const options = { callId, headers: inSeconds(2) };
      for (let copy = 0; copy < 2; copy++)
        equal((await object.send("add", { by: 1 }, options)).status, 202, "its status");
      const status = async () => bodyOf<{ status: string }>(await object.callStatus(callId), "its status").status;
      equal([await status(), await object.count()], ["waiting", 0], "its status, and the count, before its time");
      while ((await status()) !== "success") await sleep(100);
      equal(await object.count(), 1, "the count after it");
    },
  },
  {
    rule: "TIME8",
    title: "a call that waits for its time can be cancelled, and is not made then",
    needs: ["probes"],
    async run({ probe, name, sleep }) {
      const [object, callId] = [probe(), name()];
      await object.send("add", { by: 1 }, { callId, headers: inSeconds(2) });
      equal((await object.cancelCall(callId)).status, 200, "the status of the DELETE");
      isProblem(await object.cancelCall(callId), 404, "CALL_NOT_FOUND", "cancelled once more");
      await sleep(3_000);
      equal(await object.count(), 0, "the count after its time");
    },
  },
];

function inSeconds(seconds: number) {
  return { "edgeverse-not-before": new Date(Date.now() + seconds * 1_000).toISOString() };
}

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { method, VirtualObject } from "edgeverse";
import { systemClock, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const MB = 1_000_000;
const TURNS = 40;
/** What holds the code that never ends, as a timer would. */
const held: (() => void)[] = [];

class Endless extends VirtualObject.withState(z.object({ text: z.string().default("") })) {
  static override readonly type = "Endless";
  static override readonly methods = {
    grow: method({ request: z.object({ n: z.number() }) }),
    hang: method({ timeout: "200ms", request: z.object({ text: z.string() }) }),
  };

  grow({ n }: { n: number }) {
    this.state.text = `${n}`.padEnd(MB, "x");
  }

  async hang(_: { text: string }) {
    this.state.text = `${this.state.text.length}`.padEnd(MB, "y");
    this.store.put("row", `${held.length}`.padEnd(MB, "z"));
    await new Promise<void>((resolve) => held.push(resolve));
    this.state.text = "too late";
  }
}

test("[TURN4] a turn that was given up holds next to nothing, though its code never ends", {
  timeout: 60_000,
}, async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const made = new TestCluster({ objects: [Endless], clock: systemClock });
  const endless = made.object(Endless, "e");
  await endless.grow({ n: -1 });
  const before = used(collect);
  // On a busy machine a turn may be given up before its code begins.
  for (let n = 0; held.length < TURNS && n < 4 * TURNS; n++) {
    await expect(endless.hang({ text: `${n}`.padEnd(MB, "r") })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await endless.grow({ n });
  }
  const after = used(collect);
  expect(held).toHaveLength(TURNS);
  // The request is in the code's own hands. The states, the row and the copies of all that would be 5 MB more for each.
  expect((after - before) / MB).toBeLessThan(1.5 * TURNS);
  for (const end of held.splice(0)) end();
  await endless.grow({ n: 0 });
});

function used(collect: () => void): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

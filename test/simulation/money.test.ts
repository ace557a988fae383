import { expect, test } from "vitest";
import { GroupCommit } from "../../src/partition/storage/group-commit.ts";
import type { UnsavedObject } from "../../src/partition/storage/unsaved-object.ts";
import { simulate } from "../../src/testing/simulation/simulate.ts";
import workload, { seen } from "./money.ts";
import { instead } from "./plant.ts";

test("[TX2] [CALL7] money is conserved at every instant that an auditor could read", { timeout: 240_000 }, async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const { violation } = await simulate({ seed, workload });
    expect(violation, `seed ${seed}`).toBeUndefined();
  }
  expect(seen.whole).toBeGreaterThan(1_000);
  expect(seen.inFlight).toBeGreaterThan(20);
});

/** What was published together is committed bit by bit: each object with the next one that changes. */
const halves = instead(GroupCommit.prototype, "changed", (real) => {
  const late = new WeakMap<GroupCommit, UnsavedObject[]>();
  const busy = new WeakSet<GroupCommit>();
  return function (this: GroupCommit, object) {
    if (busy.has(this)) {
      late.set(this, [...(late.get(this) ?? []), object]);
      return;
    }
    busy.add(this);
    queueMicrotask(() => busy.delete(this));
    for (const waiting of late.get(this) ?? []) real.call(this, waiting);
    late.delete(this);
    real.call(this, object);
  };
});

test("[TX2] the auditor finds that half of a transaction is published before the other", {
  timeout: 120_000,
}, async () => {
  const remove = halves();
  let found: string | undefined;
  try {
    for (let seed = 1; seed <= 30 && found?.includes("auditor") !== true; seed++)
      found = (await simulate({ seed, workload })).violation;
  } finally {
    remove();
  }
  expect(found).toContain("the workload's auditor: [TX2] the books of");
});

import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { DELIVERY_FLAWS, type DeliveryFlaw } from "../../src/testing/explore/delivery-flaws.ts";
import { deliveryModel } from "../../src/testing/explore/delivery-model.ts";
import { explore } from "../../src/testing/explore/explore.ts";

test("[CALL7] [CALL8] [MIG3] a delivery across moves is as it must be in every state", { timeout: 300_000 }, () => {
  const start = performance.now();
  const { violation, ...result } = explore(deliveryModel());
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`a delivery across two moves: ${JSON.stringify(result)}, ${seconds} s`);
  expect(violation && { ...violation, trace: violation.trace.map(({ action }) => action) }).toBeUndefined();
  expect(result.complete).toBe(true);
  expect(result.states).toBeGreaterThan(250_000);
});

interface Expected {
  /** Steps to the first broken rule. */
  readonly steps: number;
  readonly rule: string;
  /** What objects would see of it, where the commit of the move is wrong first. */
  readonly seen?: string;
}

const ORDER = "[CALL7] messages of a pair";
const ONCE = "[CALL7] a message runs at most once";
const KEPT = "[CALL7] a message is in the outbox until its receiver has it";
const TOLD = "[CALL7] a message is in the outbox until its sender has the outcome";
const HEARD = "[CALL7] the sender hears an outcome once";
const ENDS = "[CALL7] everything that was sent can be delivered";
const COPIED = "[MIG3]";

const EXPECTED: Record<DeliveryFlaw, Expected> = {
  "left-early": { steps: 2, rule: ORDER },
  "removed-early": { steps: 2, rule: KEPT },
  "another-id": { steps: 5, rule: ONCE },
  "side-by-side": { steps: 3, rule: ORDER },
  "accepted-is-ended": { steps: 4, rule: HEARD },
  "moved-is-accepted": { steps: 4, rule: ORDER },
  untold: { steps: 5, rule: TOLD },
  "told-anew": { steps: 8, rule: HEARD },
  "unread-after-crash": { steps: 2, rule: ENDS },
  "left-lying": { steps: 3, rule: ENDS },
  "new-before-read": { steps: 4, rule: ORDER },
  "first-let-go": { steps: 4, rule: ORDER },
  "messages-left": { steps: 4, rule: COPIED, seen: KEPT },
  "call-marks-left": { steps: 6, rule: COPIED, seen: ORDER },
  "outcome-marks-left": { steps: 9, rule: COPIED, seen: TOLD },
  // The receiver's marks and the fence of every write hold: objects see nothing of it.
  "goes-on": { steps: 8, rule: COPIED },
};

describe("a delivery that is done wrong is found out", () => {
  test.each(Object.keys(DELIVERY_FLAWS) as DeliveryFlaw[])("[CALL7] %s", { timeout: 300_000 }, (flaw) => {
    const { steps, rule, seen } = EXPECTED[flaw];
    const model = deliveryModel({ flaw, moves: flaw === "unread-after-crash" ? 0 : 1 });
    const { violation } = explore(model);
    expect(violation?.invariant).toContain(rule);
    expect(violation?.trace.length).toBe(steps + 1);
    if (seen === undefined) return;
    const { violation: visible } = explore({ ...model, steps: [] });
    expect(visible?.invariant).toContain(seen);
  });
});

describe("npm run explore", () => {
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, ["src/testing/explore/cli.ts", ...flags], { encoding: "utf8" });

  test("explores the model that it is told, and says which rule is broken", { timeout: 60_000 }, () => {
    const { status, stdout } = run("--model", "delivery", "--flaw", "side-by-side");
    expect([status, stdout]).toEqual([1, expect.stringContaining(`broken: ${ORDER}`)]);
    const whole = run("--model", "delivery", "--moves", "0", "--json");
    expect([whole.status, JSON.parse(whole.stdout)]).toEqual([0, expect.objectContaining({ complete: true })]);
    expect(run("--one-call", "--moves", "0").status).toBe(0);
  });

  test("refuses what the model does not have", { timeout: 60_000 }, () => {
    const told = (...flags: string[]) => run(...flags).stderr.split("\n")[0];
    expect(told("--model", "delivery", "--flaw", "same-epoch")).toBe('there is no flaw "same-epoch"');
    expect(told("--model", "delivery", "--slow-turns")).toBe("--slow-turns is for --model move alone");
    expect(told("--model", "other")).toBe('--model must be move or delivery, not "other"');
  });
});

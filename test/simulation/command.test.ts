import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** Runs the command as a user does. */
function simulate(...args: string[]): Promise<{ status: number; said: string }> {
  return new Promise((resolve) => {
    const cli = join(ROOT, "src/testing/simulation/cli.ts");
    execFile(process.execPath, [cli, ...args], { cwd: ROOT }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), said: stdout + stderr });
    });
  });
}

describe("edgeverse simulate", { timeout: 120_000 }, () => {
  test("lives through the seeds of an author's workload on every core", async () => {
    const { status, said } = await simulate("test/simulation/fixture/tally.ts", "--seeds", "30");
    expect(said).toContain("30 seeds from 1, 0 broke a promise");
    expect(status).toBe(0);
  });

  test("says how to repeat a seed that breaks a promise, and cuts it down", async () => {
    const workload = "test/simulation/fixture/forgetful.ts";
    const many = await simulate(workload, "--seeds", "60");
    expect(many.status).toBe(1);
    const [, violation, command, seed = ""] = /seed \d+: (.*)\n {2}(.* --seed (\d+))\n/.exec(many.said) ?? [];
    expect(violation).toMatch(/^the workload's check: \d+ were counted, and 12 were called$/);
    expect(command).toBe(`npm run simulate -- ${workload} --seed ${seed}`);
    const one = await simulate(workload, "--seed", seed);
    expect(one.status).toBe(1);
    const [, from, to] = /Cut down from (\d+) steps to (\d+) in/.exec(one.said) ?? [];
    expect(Number(to)).toBeLessThan(Number(from) / 2);
    const again = /To repeat it: npm run simulate -- (.*)\n/.exec(one.said)?.[1] ?? "";
    const repeated = await simulate(...again.split(" "));
    expect(repeated.said).toContain("were called");
    expect(repeated.status).toBe(1);
  });

  test.each([
    [["test/simulation/fixture/none.ts"], "none.ts"],
    [["test/simulation/regressions.ts"], "must export a workload by default"],
    [["a.ts", "b.ts"], "One workload at a time"],
    [["--seeds", "0"], "--seeds must be a whole number from 1 up"],
    [["--trace"], "--trace needs --seed"],
    [["--seed", "1", "--from", "2"], "--seed is one alone"],
    [["--what"], "--what"],
  ])("refuses what makes no sense: %j", async (args, why) => {
    const { status, said } = await simulate(...args);
    expect(said).toContain(why);
    expect(status).toBe(2);
  });
});

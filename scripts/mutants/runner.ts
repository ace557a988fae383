import { setTimeout as pause } from "node:timers/promises";
import { type RunnerTestCase, type RunnerTestSuite, TestRunner } from "vitest";
import { Journal, SHORTEST_LIMIT } from "./journal.ts";

/** What Stryker's switches read and count. */
interface Switches {
  activeMutant: string | undefined;
  currentTestId: string | undefined;
  mutantCoverage: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
  hitCount: number;
  hitLimit: number;
}

const switches: Switches = {
  activeMutant: undefined,
  currentTestId: undefined,
  mutantCoverage: { static: {}, perTest: {} },
  hitCount: 0,
  hitLimit: Number.POSITIVE_INFINITY,
};
Object.assign(globalThis, { __stryker__: switches });

/** Processor time in µs; a test that takes longer is not tried on mutants. */
const LONG = 1_500_000;

/**
 * Runs each test once as it is, then once for every mutant that it ran into and that no test has killed yet, all in one
 * process: a process for each mutant would take many times as long.
 */
export default class MutantRunner extends TestRunner {
  readonly #journal = new Journal(process.env["MUTANTS_JOURNAL"] as string);
  readonly #killed = new Set<string>();
  readonly #done = new Set<string>();

  constructor(config: TestRunner["config"]) {
    super(config);
    for (const entry of this.#journal.entries()) {
      if (entry.kind === "killed") this.#killed.add(entry.mutant);
      else if (entry.kind === "done" || entry.kind === "left out") this.#done.add(entry.test);
    }
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    const name = nameOf(test);
    if (this.#done.has(name)) return;
    if (switches.currentTestId === undefined)
      this.#journal.add({ kind: "loaded", mutants: Object.keys(switches.mutantCoverage.static) });
    switches.currentTestId = test.id;
    const leaveOut = (why: "long" | "fails" | "unsteady") => this.#journal.add({ kind: "left out", test: name, why });
    const started = performance.now();
    const before = process.cpuUsage();
    try {
      await TestRunner.getTestFn(test)();
    } catch (error) {
      leaveOut("fails");
      throw error;
    }
    const took = performance.now() - started;
    const { user, system } = process.cpuUsage(before);
    switches.currentTestId = "on trial";
    const hits = switches.mutantCoverage.perTest[test.id] ?? {};
    const mutants = Object.keys(hits).filter((mutant) => !this.#killed.has(mutant));
    if (mutants.length === 0) return;
    if (user + system > LONG) return leaveOut("long");
    if (!(await passes(test))) return leaveOut("unsteady");
    for (const mutant of mutants) {
      const limit = 2_000 + 5 * took;
      // A mutant that loops for ever is ended from outside, with the process.
      this.#journal.add({ kind: "try", mutant, limit: limit + SHORTEST_LIMIT });
      switches.hitCount = 0;
      switches.hitLimit = 1_000 + 100 * (hits[mutant] as number);
      switches.activeMutant = mutant;
      const survived = await Promise.race([passes(test), pause(limit, false)]);
      switches.activeMutant = undefined;
      if (survived) continue;
      this.#killed.add(mutant);
      this.#journal.add({ kind: "killed", mutant });
    }
    this.#journal.add({ kind: "done", test: name });
  }
}

/** Whether the test passes, run once more with the hooks around it. */
async function passes(test: RunnerTestCase): Promise<boolean> {
  const suites = suitesOf(test);
  try {
    for (const suite of suites)
      for (const hook of TestRunner.getSuiteHooks(suite).beforeEach) await hook(test.context, suite);
    await TestRunner.getTestFn(test)();
    return true;
  } catch {
    return false;
  } finally {
    for (const suite of suites.toReversed())
      for (const hook of TestRunner.getSuiteHooks(suite).afterEach) await hook(test.context, suite);
  }
}

/** From the file to the innermost. */
function suitesOf(test: RunnerTestCase): RunnerTestSuite[] {
  const suites: RunnerTestSuite[] = [];
  for (let suite = test.suite; suite !== undefined; suite = suite.suite) suites.unshift(suite);
  return suites[0] === test.file ? suites : [test.file, ...suites];
}

function nameOf(test: RunnerTestCase): string {
  return [...suitesOf(test).map((suite) => suite.name), test.name].join(" > ");
}

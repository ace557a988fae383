import type { Check, Need } from "./check.ts";
import { CheckWork, type Ending } from "./check-work.ts";
import type { Deployment } from "./deployment.ts";
import type { Facts } from "./facts.ts";

/** What became of a check. */
export interface Result {
  readonly rule: string;
  readonly title: string;
  readonly outcome: Ending["outcome"];
  /** Why it failed, or could not be tried. */
  readonly reason?: string;
  readonly ms: number;
}

export interface Run {
  readonly deployment: Deployment;
  readonly facts: Facts;
  readonly allowReshard: boolean;
  /** Aborted: the check under way is given up and cleaned up after, and no further one begins. */
  readonly stop: AbortSignal;
  readonly onResult: (result: Result) => void;
}

/** Ms for a check that does not say otherwise, and for undoing one. */
const WITHIN = 60_000;

/** Tries one check after the other. What it was stopped in has no result if it could be undone. It never rejects. */
export async function runChecks(checks: readonly Check[], run: Run): Promise<Result[]> {
  const prefix = `verify-${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
  let names = 0;
  const name = () => `${prefix}-${++names}`;
  const results: Result[] = [];
  for (const check of checks) {
    if (run.stop.aborted) break;
    const begun = performance.now();
    const ending = await tryCheck(check, run, name);
    if (ending === undefined) break;
    const { rule, title } = check;
    const result = { rule, title, ...ending, ms: Math.round(performance.now() - begun) };
    results.push(result);
    run.onResult(result);
  }
  return results;
}

/** @returns undefined when it was stopped and undone */
async function tryCheck(check: Check, run: Run, name: () => string): Promise<Ending | undefined> {
  const { deployment, facts, stop } = run;
  const missing = check.needs?.find((need) => !isThere(need, run));
  if (missing !== undefined) {
    // Without the token nobody knows what there is.
    const need = facts.admin || missing === "probes" ? missing : "admin";
    return { outcome: "not applicable", reason: MISSING[need] };
  }
  const work = new CheckWork(deployment, facts, name);
  const tried = await work.attempt(check.within ?? WITHIN, stop, (context) => check.run(context));
  // What was stopped is undone all the same.
  const cleaned = await work.cleanUp(WITHIN);
  if (stop.aborted && cleaned.outcome === "pass") return undefined;
  const ending =
    cleaned.outcome === "pass"
      ? tried
      : {
          outcome: "fail" as const,
          reason: [...reasonOf(tried), `it could not clean up: ${cleaned.reason}`].join("; "),
        };
  return ending.outcome === "pass" ? ending : { ...ending, reason: deployment.redact(ending.reason) };
}

function reasonOf(ending: Ending): string[] {
  return ending.outcome === "pass" ? [] : [ending.reason];
}

const MISSING: Readonly<Record<Need, string>> = {
  probes: 'add "...probes" of "edgeverse/verify" to the objects of your host',
  admin: "give the admin token",
  postgres: "the log of the cluster is local",
  "two partitions": "the cluster has no two partitions that take shards",
  "--allow-reshard": "it changes the shard count of the whole cluster: allow it with --allow-reshard",
};

function isThere(need: Need, { facts, allowReshard }: Run): boolean {
  switch (need) {
    case "probes":
    case "admin":
      return facts[need];
    case "postgres":
      return facts.log === "postgres";
    case "two partitions":
      return facts.partitions.length > 1;
    case "--allow-reshard":
      return allowReshard;
  }
}

import type { Result } from "./run-checks.ts";

const MARKS = { pass: "pass", fail: "FAIL", "not applicable": "–   " } as const;

/** A line of the matrix. */
export function line({ rule, title, outcome, reason, ms }: Result): string {
  const time = outcome === "not applicable" ? "" : `${ms} ms`;
  const first = `${rule.padEnd(7)} ${MARKS[outcome]} ${time.padStart(9)}  ${title}`;
  return reason === undefined ? first : `${first}\n${" ".repeat(24)}${reason}`;
}

/** What became of each rule: it failed if one of its checks did, and passed if one did and none failed. */
export function byRule(results: readonly Result[]): Record<string, Result["outcome"]> {
  const rules: Record<string, Result["outcome"]> = {};
  for (const { rule, outcome } of results) {
    const before = rules[rule];
    if (before === undefined || before === "not applicable" || outcome === "fail") rules[rule] = outcome;
  }
  return rules;
}

/** The last line. */
export function summary(results: readonly Result[], requests: number, seconds: number): string {
  const outcomes = Object.values(byRule(results));
  const count = (outcome: Result["outcome"]) => outcomes.filter((each) => each === outcome).length;
  return (
    `${outcomes.length} rules: ${count("pass")} passed, ${count("fail")} failed, ${count("not applicable")} not applicable ` +
    `(${results.length} checks, ${requests} requests, ${seconds.toFixed(0)} s)`
  );
}

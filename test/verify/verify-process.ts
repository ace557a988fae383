import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Result } from "../../verify/run-checks.ts";

const CLI = resolve(import.meta.dirname, "../../local/cli.ts");

export interface Report {
  readonly url: string;
  readonly probes: boolean;
  /** Ctrl-C ended it, and what it had done was undone: one that is stopped at once has no report. */
  readonly stopped: boolean;
  readonly requests: number;
  readonly rules: Readonly<Record<string, Result["outcome"]>>;
  readonly checks: readonly Result[];
}

export interface Verified {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real `edgeverse verify`. `ctrlC` stops it, as one key press does: a second one would skip its clean-up. */
export async function verify(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  ctrlC?: AbortSignal,
): Promise<Verified> {
  const child = spawn(process.execPath, [CLI, "verify", ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  ctrlC?.addEventListener("abort", () => child.kill("SIGINT"), { once: true });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

export function reportOf({ stdout }: Verified): Report {
  return JSON.parse(stdout) as Report;
}

/** What did not pass, with why. */
export function notPassed({ checks }: Report): string[] {
  return checks
    .filter(({ outcome }) => outcome !== "pass")
    .map(({ rule, outcome, reason }) => `${rule} ${outcome}: ${reason}`);
}

import { execFile, execFileSync } from "node:child_process";

const args = (pid: number) => ["-o", "rss=", "-p", String(pid)];

/** MiB of memory that a process has. */
export function residentMiB(pid: number): number {
  return Number(execFileSync("ps", args(pid), { encoding: "utf8" })) / 1_024;
}

/** Looks at a process now and then; the function it gives ends that, and says the most MiB it had. */
export function watchResident(pid: number, everyMs = 200): () => number {
  let most = residentMiB(pid);
  const timer = setInterval(() => {
    execFile("ps", args(pid), (_, text) => {
      most = Math.max(most, Number(text) / 1_024);
    });
  }, everyMs);
  return () => {
    clearInterval(timer);
    return Math.max(most, residentMiB(pid));
  };
}

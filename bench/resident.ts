import { execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

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

/** MiB that a process and all it started have together, each shared page counted once (PSS); NaN where there is no /proc. */
export function sharedTreeMiB(root: number): number {
  try {
    const parents = new Map(
      readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((name) => [Number(name), parentOf(name)] as const),
    );
    const isOurs = (pid: number | undefined): boolean =>
      pid !== undefined && (pid === root || isOurs(parents.get(pid)));
    return [...parents.keys()].filter(isOurs).reduce((sum, pid) => sum + sharedMiB(pid), 0);
  } catch {
    return Number.NaN;
  }
}

/** The process that started one; undefined when it has ended meanwhile. */
function parentOf(pid: string): number | undefined {
  try {
    const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    return Number(rest.split(" ")[1]);
  } catch {
    return undefined;
  }
}

function sharedMiB(pid: number): number {
  const [, kilobytes = "0"] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kilobytes) / 1_024;
}

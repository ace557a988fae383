import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * A text that names one run of one process: its start time, so that a process id used again after a crash or a reboot is
 * told apart from the process that had it before. `undefined` when no such process runs; a zombie (killed, not yet noticed by its parent)
 * doesn't.
 */
export function processIdentity(pid: number): string | undefined {
  if (!exists(pid)) return undefined;
  try {
    // The name in field 2 may hold spaces and brackets, so count after the last bracket: the state, and 19 on the start in ticks since boot.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()}/${fields[19]}`;
  } catch {
    return identityFromPs(pid);
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Where there is no /proc (macOS). */
function identityFromPs(pid: number): string | undefined {
  try {
    const env = { LC_ALL: "C", PATH: process.env["PATH"] };
    const [state, ...started] = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env,
    })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith("Z") ? undefined : started.join(" ");
  } catch {
    return undefined; // `ps` fails when the process is gone.
  }
}

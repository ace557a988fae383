import { readFileSync } from "node:fs";

/** Ticks of /proc are hundredths of a second on every Linux that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000;

/** Processor time a process has used, in µs; NaN where there is no /proc. */
export function cpuTime(pid: number): number {
  try {
    // The name, in parentheses, may hold spaces; what counts stands behind it.
    const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    const fields = rest.split(" ");
    return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
  } catch {
    return Number.NaN;
  }
}

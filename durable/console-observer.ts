import type { Observer } from "../src/partition/ports.ts";

/** Writes what operators should know as one JSON line each; the platform collects them. */
export const consoleObserver: Observer = {
  methodThrew(key, requestId, thrown) {
    write("error", "a method threw", { object: key, requestId, error: thrown });
  },
  warn(event, details) {
    write("warn", event, details);
  },
};

export function write(level: "warn" | "error", event: string, details: Readonly<Record<string, unknown>>): void {
  const line = { level, event, ...details };
  console[level](
    JSON.stringify(line, (_key, value) => (value instanceof Error ? errorText(value) : (value as unknown))),
  );
}

function errorText(error: Error): string {
  const cause = error.cause === undefined ? "" : ` (caused by ${String(error.cause)})`;
  return `${error.stack ?? String(error)}${cause}`;
}

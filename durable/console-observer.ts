import type { Observer } from "../src/partition/turns/ports.ts";
import type { LiveSettings } from "../src/settings/live-settings.ts";
import { LogFilter } from "../src/settings/log-filter.ts";

/** Writes what operators should know as one JSON line each; the platform collects them. */
export const consoleObserver: Observer = {
  methodThrew(key, requestId, thrown) {
    write("error", "a method threw", { object: key, requestId, error: thrown });
  },
  warn(event, details) {
    write("warn", event, details);
  },
};

/** The same, as the settings say what is logged. */
export function filtered(observer: Observer, settings: Pick<LiveSettings, "log">): Observer {
  const filter = new LogFilter(settings);
  return {
    methodThrew(...what) {
      if (filter.admits("error", "a method threw")) observer.methodThrew(...what);
    },
    warn(event, details) {
      if (filter.admits("warn", event)) observer.warn(event, details);
    },
  };
}

export function write(level: "warn" | "error", event: string, details: Readonly<Record<string, unknown>>): void {
  console[level](line({ level, event, ...details }));
}

/** The line of an event. A method may throw anything, and whatever it is must not keep the line from being written. */
function line(event: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(event, (_key, value: unknown) => printable(value));
  } catch {
    const flat = Object.entries(event).map(([key, value]) => [key, text(value)]);
    return JSON.stringify(Object.fromEntries(flat));
  }
}

function printable(value: unknown): unknown {
  if (value instanceof Error) return errorText(value);
  return typeof value === "bigint" || typeof value === "symbol" ? text(value) : value;
}

function errorText(error: Error): string {
  const cause = error.cause === undefined ? "" : ` (caused by ${text(error.cause)})`;
  return `${text(error.stack ?? error)}${cause}`;
}

function text(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "a value without a text";
  }
}

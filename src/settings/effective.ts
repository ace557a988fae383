import { type Config, configSchema, environmentName } from "../config/config.ts";
import { durationText } from "../config/duration.ts";
import type { VersionedDocument } from "./document.ts";
import { LIVE_KEYS } from "./live-keys.ts";

/** A setting as a process has it, and where that comes from. */
export interface EffectiveSetting {
  readonly name: string;
  readonly variable: string;
  /** As it is written: durations as texts. */
  readonly value: unknown;
  readonly origin: "default" | "variable" | "document";
  /** Whether a document may change it. */
  readonly live: boolean;
}

const DEFAULTS = configSchema.parse({});

/**
 * Every setting of a process.
 * @param given names of those that variables have set
 */
export function effectiveSettings(
  config: Config,
  given: ReadonlySet<string>,
  { document }: VersionedDocument,
): EffectiveSetting[] {
  const over = document.settings ?? {};
  return (Object.keys(config) as (keyof Config)[]).map((name) => ({
    name,
    variable: environmentName(name),
    value: written(name, config[name]),
    origin: Object.hasOwn(over, name) ? "document" : given.has(name) ? "variable" : "default",
    live: (LIVE_KEYS as readonly string[]).includes(name),
  }));
}

/** A duration is a number inside and takes only a text from outside. */
function written(name: keyof Config, value: unknown): unknown {
  if (typeof value !== "number" || typeof DEFAULTS[name] !== "number") return value;
  return configSchema.shape[name].safeParse(value).success ? value : durationText(value);
}

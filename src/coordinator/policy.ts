import type { Config } from "../config/config.ts";
import type { Policy } from "../placement/plan-types.ts";
import { policySchema } from "../placement/policy.ts";
import type { LiveSettings } from "../settings/live-settings.ts";

/** The policy by the settings of now: its members change with them. */
export function livePolicy(settings: LiveSettings): Policy {
  const policy = policyOf(settings.config);
  settings.onChange(() => Object.assign(policy, policyOf(settings.config)));
  return policy;
}

/**
 * The planner's policy by the configuration.
 * @throws Error naming what of `EDGEVERSE_PLACEMENT` can't be used and why
 */
export function policyOf(config: Config): Policy {
  const { rules, windows, ...unknown } = config.placement;
  const parsed = policySchema.safeParse({
    strategy: config.rebalance,
    threshold: config.rebalanceThreshold,
    maxConcurrent: config.moves,
    cooldown: config.moveCooldown,
    stableFor: config.stableFor,
    ...(rules === undefined ? {} : { rules }),
    ...(windows === undefined ? {} : { windows }),
  });
  const problems = Object.keys(unknown).map((key) => `it knows no "${key}"`);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`));
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new Error(`Cannot use the configuration: EDGEVERSE_PLACEMENT: ${problems.join("; ")}`);
}

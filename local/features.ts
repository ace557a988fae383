import type { WranglerConfig, WranglerFile } from "./wrangler-file.ts";

/** What of a worker's file needs nothing but workerd here: it is used, or it speaks to Cloudflare alone. */
export const PLAIN: readonly string[] = [
  "name",
  "main",
  "compatibility_date",
  "compatibility_flags",
  "triggers",
  "vars",
  "secrets",
  "durable_objects",
  "migrations",
  "exports",
  // Bundling.
  "build",
  "define",
  "alias",
  "tsconfig",
  "jsx_factory",
  "jsx_fragment",
  "minify",
  "keep_names",
  "upload_source_maps",
  // Without effect.
  "account_id",
  "compliance_region",
  "dependencies_instrumentation",
  "dev",
  "first_party_worker",
  "keep_vars",
  "limits",
  "logpush",
  "observability",
  "placement",
  "preview_urls",
  "previews",
  "route",
  "routes",
  "send_metrics",
  "workers_dev",
  // What wrangler's reader adds.
  "configPath",
  "userConfigPath",
  "topLevelName",
  "definedEnvironments",
  "targetEnvironment",
];

/** What Miniflare's simulators do here. */
export const SIMULATED: readonly string[] = [
  "kv_namespaces",
  "r2_buckets",
  "d1_databases",
  "queues",
  "services",
  "assets",
  "workflows",
  "analytics_engine_datasets",
  "send_email",
  "ratelimits",
  "version_metadata",
];

/** What a worker's file asks of `edgeverse start`. */
export interface Demand {
  /** Simulators are needed. */
  readonly simulated: boolean;
  /** Why it can't be run here. */
  readonly problems: readonly string[];
}

/**
 * Looks at everything in a worker's file that is not as it is without it.
 * @param workers names of all workers that run here, itself among them
 */
export function demandOf({ config, defaults }: WranglerFile, workers: readonly string[]): Demand {
  const set = Object.keys(config).filter((key) => !same(config[key], defaults[key]));
  const simulated = set.filter((key) => SIMULATED.includes(key));
  return {
    simulated: simulated.length > 0 || hasWorkflow(config) || otherWorkers(config).length > 0,
    problems: [
      ...set
        .filter((key) => !PLAIN.includes(key) && !SIMULATED.includes(key))
        .map((key) => `it has no [${key}] (edgeverse dev has what wrangler has)`),
      ...simulated
        .filter((key) => isRemote(config[key]))
        .map((key) => `it has only local data, no [${key}] with remote = true`),
      ...otherWorkers(config)
        .filter((name) => !workers.includes(name))
        .map((name) => `the worker "${name}" is missing: name its file with a further --config`),
    ],
  };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isRemote(bindings: unknown): boolean {
  if (typeof bindings !== "object" || bindings === null) return false;
  return ("remote" in bindings && bindings.remote === true) || Object.values(bindings).some(isRemote);
}

/** Workflows may be declared among the exports too. */
function hasWorkflow({ exports = {} }: WranglerConfig): boolean {
  return Object.values(exports).some(({ type }) => type === "workflow");
}

/** Names of workers that bindings lead to, but for its own. */
function otherWorkers({ name, services = [], durable_objects, workflows = [] }: WranglerConfig): string[] {
  const objects = durable_objects.bindings.map(({ script_name }) => script_name);
  const names = [
    ...services.map(({ service }) => service),
    ...objects,
    ...workflows.map(({ script_name }) => script_name),
  ];
  return [...new Set(names)].filter((other): other is string => other !== undefined && other !== name);
}

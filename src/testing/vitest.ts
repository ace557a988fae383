import { existsSync } from "node:fs";
import type { TestProjectInlineConfiguration } from "vitest/config";

export interface EdgeverseProjectsOptions {
  /** The configuration of the Worker; default: `wrangler.jsonc`, `wrangler.json` or `wrangler.toml`. */
  readonly wrangler?: string;
  /** What tests in workerd have in the Worker's `env` beside, or instead of, what its configuration says. */
  readonly bindings?: Readonly<Record<string, string>>;
}

const CONFIGURATIONS = ["wrangler.jsonc", "wrangler.json", "wrangler.toml"];
const IN_WORKERD = "**/*.workerd.test.?(c|m)[jt]s?(x)";

/** Two partitions, an admin API, and no Postgres, so that tests never use the database that `.dev.vars` names. */
const BINDINGS = { EDGEVERSE_PARTITIONS: "2", EDGEVERSE_ADMIN_TOKEN: "test", DATABASE_URL: "" };

/**
 * Two projects of Vitest: `*.workerd.test.ts` run inside workerd beside the Worker itself, all other tests in Node. It needs
 * `@cloudflare/vitest-plugin`. Those who have tests in Node alone need no configuration.
 *
 * @throws Error when there is no configuration of the Worker
 * @example
 * export default defineConfig({ test: { projects: await edgeverseProjects() } });
 */
export async function edgeverseProjects(
  options: EdgeverseProjectsOptions = {},
): Promise<TestProjectInlineConfiguration[]> {
  const configPath = options.wrangler ?? CONFIGURATIONS.find((path) => existsSync(path));
  if (configPath === undefined || !existsSync(configPath)) {
    throw new Error(`Cannot test the Worker: there is no ${options.wrangler ?? CONFIGURATIONS.join(", ")} here`);
  }
  const { cloudflareTest } = await import("@cloudflare/vitest-plugin");
  const { defaultExclude } = await import("vitest/config");
  return [
    {
      extends: true,
      test: { name: "node", exclude: [...defaultExclude, IN_WORKERD] },
    },
    {
      extends: true,
      plugins: [
        cloudflareTest({
          wrangler: { configPath },
          miniflare: { bindings: { ...BINDINGS, ...options.bindings } },
        }),
      ],
      test: { name: "workerd", include: [IN_WORKERD] },
    },
  ];
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Config,
  configFromEnvironment,
  configSchema,
  environmentName,
  OTHER_NAMES,
} from "../../src/config/config.ts";

const ROOT = join(import.meta.dirname, "../..");
const text = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
const rows = new Map(
  [...text.matchAll(/^\| `(EDGEVERSE_[A-Z_]+)` \| (\S+) \| (.+) \|$/gm)].map((row) => [row[1], row]),
);
const keys = Object.keys(configSchema.shape) as (keyof Config)[];

describe("docs/operations.md", () => {
  it("[CONF1] has a row for every setting, with its default", () => {
    const defaults = configFromEnvironment({});
    for (const key of keys) {
      const [, name, value, about] = rows.get(environmentName(key)) ?? [];
      expect(name, `${key} has no row`).toBe(environmentName(key));
      expect(about?.length, key).toBeGreaterThan(10);
      const documented = value === "–" ? {} : { [environmentName(key)]: value };
      if (value === "–") expect(configSchema.shape[key].safeParse(undefined).success, key).toBe(true);
      expect(configFromEnvironment(documented)[key], key).toEqual(defaults[key]);
    }
  });

  it("names no variable that does not exist", () => {
    const known = new Set<string>([...keys.map(environmentName), ...OTHER_NAMES]);
    const named = new Set([...text.matchAll(/EDGEVERSE_[A-Z][A-Z_]*/g)].map(([name]) => name));
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });

  it("quotes log lines that the code writes", () => {
    const lines = [...text.matchAll(/`([a-z][a-z';\s]+)`/g)].map(([, line = ""]) => line.replaceAll(/\s+/g, " "));
    const quoted = lines.filter((line) => line.split(" ").length > 3);
    const code = ["src", "durable", "workers"].flatMap((folder) => sourcesIn(join(ROOT, folder))).join("\n");
    expect(quoted.filter((line) => !code.includes(line))).toEqual([]);
    expect(quoted.length).toBeGreaterThan(2);
  });
});

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}

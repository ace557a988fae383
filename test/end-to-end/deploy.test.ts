import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

test("`npm run deploy` bundles a worker with its Durable Objects and no part of Node but async_hooks", {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "edgeverse-deploy-"));
  try {
    const { stdout } = await promisify(execFile)("npm", ["run", "deploy", "--", "--dry-run", "--outdir", folder], {
      cwd: ROOT,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    });
    expect(stdout).toContain("env.PARTITION (Partition)");
    expect(stdout).toContain("env.COORDINATOR (Coordinator)");
    const bundle = readFileSync(join(folder, "index.js"), "utf8");
    const imports = new Set([...bundle.matchAll(/from ?"((?:node|cloudflare):[^"]+)"/g)].map((match) => match[1]));
    expect([...imports].sort()).toEqual(["cloudflare:workers", "node:async_hooks"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cleanUp, isRunning, type Ready, temporaryFolder, until } from "./host-process.ts";

const ROOT = resolve(import.meta.dirname, "../..");

afterAll(cleanUp);

test.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)(
  "`npm start` that gets %s leaves no host behind",
  { timeout: 60_000 },
  async (signal) => {
    const npm = spawn("npm", ["start", "--silent", "--", "--json", "--no-postgres"], {
      cwd: ROOT,
      env: { ...process.env, PORT: "0", EDGEVERSE_DATA: temporaryFolder() },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    npm.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    await until(() => out.includes("\n"), 20_000);
    const ready = JSON.parse(out) as Ready;
    expect((await fetch(`${ready.url}/healthz`)).status).toBe(200);
    npm.kill(signal);
    await once(npm, "exit");
    await until(() => !isRunning(ready.pid) && !isRunning(ready.workerdPid), 15_000);
  },
);

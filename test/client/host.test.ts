import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { cleanUp, type HostProcess, spawnHost, temporaryFolder, until } from "../local/host-process.ts";
import { freePort } from "../support/free-port.ts";
import { startServer } from "../support/local-server.ts";
import { scenario } from "./scenario.ts";

const HERE = import.meta.dirname;
const WORKER = ["--config", join(HERE, "app/wrangler.toml"), "--no-postgres"];
const DENO = join(HERE, "../../node_modules/.bin/deno");
const CHROMIUM = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));
const programs = ["node", "deno", ...(CHROMIUM === undefined ? [] : ["chromium"])];

afterAll(cleanUp);

/** One host for all programs: killed when all have connected, and started anew when all have seen it gone. */
class Stage {
  readonly #port: number;
  readonly #data = temporaryFolder();
  #host: HostProcess | undefined;
  readonly #waiting = new Map<string, number>();

  constructor(port: number) {
    this.#port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#host = spawnHost({ EDGEVERSE_DATA: this.#data, PORT: String(this.#port) }, ["--json"], WORKER);
    await this.#host.ready();
  }

  async kill(): Promise<void> {
    this.#host?.child.kill("SIGKILL");
    await this.#host?.exited;
    await until(() =>
      fetch(`${this.url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
  }

  /** All programs are at this point, and what happens there has happened. */
  async meet(where: string): Promise<void> {
    const here = (this.#waiting.get(where) ?? 0) + 1;
    this.#waiting.set(where, here);
    if (here === programs.length) {
      await (where === "down" ? this.kill() : this.start());
      this.#waiting.set(where, Number.POSITIVE_INFINITY);
    }
    await until(() => this.#waiting.get(where) === Number.POSITIVE_INFINITY, 100_000);
  }
}

async function bundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, file)],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "program",
    target: "es2024",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return outputFiles[0]?.text ?? "";
}

const meetThrough = (control: string) => `(where) => fetch("${control}/" + where).then(() => {})`;

/** Runs the program in Deno, which may use the network and nothing else. */
async function inDeno(code: string, url: string, control: string): Promise<unknown> {
  const run = `${code};console.log(JSON.stringify(await program.scenario("${url}", "deno", ${meetThrough(control)})))`;
  const child = spawn(DENO, ["run", "--no-prompt", "--allow-net=127.0.0.1", "--ext=js", "-"], {
    env: { PATH: process.env["PATH"], DENO_NO_UPDATE_CHECK: "1", DENO_DIR: temporaryFolder() },
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.end(run);
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(err);
  return JSON.parse(out);
}

async function inChromium(code: string, url: string, control: string): Promise<unknown> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM as string,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const page = await browser.newPage({ bypassCSP: true });
    // A page of the host itself, without its policy: the browser lets no other connect to this machine.
    await page.goto(`${url}/healthz`);
    await page.addScriptTag({ content: code });
    return await page.evaluate(`program.page("${url}", "chromium", ${meetThrough(control)})`);
  } finally {
    await browser.close();
  }
}

test("[PUSH12] [CLIENT2] [CLIENT3] [CLIENT6] [CLIENT8] [CLIENT9] Node, Deno and Chromium go on with a host that was killed and came back", {
  timeout: 180_000,
}, async () => {
  const stage = new Stage(await freePort());
  const [code, page] = await Promise.all([bundle("scenario.ts"), bundle("page.ts"), stage.start()]);
  const control = await startServer(async ({ url = "" }, response) => {
    await stage.meet(url.slice(1));
    response.setHeader("access-control-allow-origin", "*").end();
  });
  const results = await Promise.all([
    scenario(stage.url, "node", (where) => stage.meet(where)),
    inDeno(code, stage.url, control.url),
    ...(CHROMIUM === undefined ? [] : [inChromium(page, stage.url, control.url)]),
  ]);
  await control.stop();
  for (const [index, result] of results.entries()) {
    expect(result).toEqual({
      said: { number: 1, by: programs[index] },
      refused: ["CALL_FAILED", "OPEN", { said: 1 }],
      direct: { text: "psst" },
      patched: true,
      lost: ["UNAVAILABLE", false],
      outcome: [true, "say", true],
      list: ["3", "4", "one", "queued", "two"],
      watched: ["3", "4", "one", "queued", "two"],
      grown: true,
      heard: expect.any(Array),
      gaps: 0,
      statuses: ["connecting", "open", "connecting", "open", "closed"],
      shown: programs[index] === "chromium" ? "live 5" : null,
      ...(programs[index] === "chromium" ? { events: { numbers: [1, 2, 3, 4, 5], sessions: 1, gaps: 0 } } : {}),
    });
    // Whether the first message was before the connection is a matter of time.
    const { heard } = result as { heard: number[] };
    expect(heard.slice(-4)).toEqual([2, 3, 4, 5]);
  }
});

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ObjectClass } from "edgeverse";
import { systemClock, TestCluster } from "edgeverse/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { Wallet } from "../../examples/wallet.ts";
import { ApiKeys } from "../../src/coordinator/api-keys.ts";
import { createHandler } from "../../src/http/handler.ts";
import { partitionClient } from "../../src/partition/client.ts";
import { maintenanceOf } from "../../src/reliable/maintenance.ts";
import { coordinatorPort } from "../support/coordinator-port.ts";
import { type LocalServer, startServer } from "../support/local-server.ts";
import { OPEN } from "../support/open-access.ts";
import { blocksOf } from "./blocks.ts";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
const TOKEN = "operator";
const folder = mkdtempSync(join(HERE, ".commands-"));
const cluster = { stop: () => undefined as unknown };
let server: LocalServer;

beforeAll(async () => {
  const { http, stop } = handler([
    Counter,
    Wallet,
    ...(await Promise.all(["Poll", "Table", "Auction"].map(guideClass))),
  ]);
  cluster.stop = stop;
  server = await startServer(async (incoming, outgoing) => {
    const body = await new Response(incoming as unknown as ReadableStream).text();
    const { method = "GET" } = incoming;
    const headers = incoming.headers as Record<string, string>;
    const request = new Request(`http://${headers["host"]}${incoming.url}`, {
      method,
      headers,
      ...(body === "" ? {} : { body }),
    });
    const response = await http(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
  });
});
afterAll(async () => {
  await server?.stop();
  cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The HTTP interface of a cluster whose time passes by itself. */
function handler(objects: readonly ObjectClass[]) {
  const made = new TestCluster({ objects, access: OPEN, clock: systemClock });
  const { registry, config, router, coordinator, clock, log } = made;
  const connect = (name: string) => partitionClient(made.partition(name));
  const http = createHandler({
    registry,
    config,
    settings: { live: made.settings, follower: undefined },
    router,
    clock,
    log,
    basePath: "",
    maintenance: maintenanceOf({ log, router, config, registry, clock, connect }),
    authenticate: undefined,
    gates: undefined,
    adminToken: TOKEN,
    connect,
    coordinator: coordinatorPort(coordinator, new ApiKeys(made.storage("coordinator"), clock)),
    random: { uuid: () => crypto.randomUUID() },
    onError: () => undefined,
  });
  return { http, stop: () => made.stop() };
}

/** A class that the guide shows; the last one, if several have this name. */
async function guideClass(name: string): Promise<ObjectClass> {
  const block = blocksOf("docs/guide.md").findLast(({ classes }) => classes.includes(name));
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, block?.module ?? "");
  return ((await import(file)) as Record<string, ObjectClass>)[name] as ObjectClass;
}

interface Command {
  readonly text: string;
  /** What the document says it prints. */
  readonly prints: readonly string[];
}

/** The `curl` commands of a document, each with the comments below it. */
function commandsOf(document: string): Command[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    [...block.matchAll(/^(curl [\s\S]*?)\n((?:#.*\n)*)(?=\n|curl |$(?![\s\S]))/gm)].map(
      ([, command = "", comments = ""]) => ({
        text: command,
        prints: statements(comments),
      }),
    ),
  );
}

/** The comments that are output: JSON, a status line, or a header. A line that is indented goes on with the one before it. */
function statements(comments: string): string[] {
  const lines = comments.replaceAll(/\n# {2,}/g, "").split("\n");
  return lines.map((line) => line.replace(/^# /, "")).filter((line) => /^(\{|HTTP\/|[A-Z]\w+: )/.test(line));
}

/** `…` stands for any text, and what follows the JSON is for people. */
function expected(line: string): RegExp {
  const json = line.startsWith("{") ? line.slice(0, line.lastIndexOf("}") + 1) : line;
  const parts = json.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(parts.join('[^"]*'), "i");
}

describe.each(["README.md", "docs/guide.md"])("the commands of %s", (document) => {
  it.each(commandsOf(document))("$text", async ({ text, prints }) => {
    const command = text.replaceAll("http://127.0.0.1:8787", server.url);
    const { stdout } = await promisify(execFile)("bash", ["-c", command], { env: { ...process.env, TOKEN } });
    expect(prints.length).toBeGreaterThan(0);
    for (const line of prints) expect(stdout).toMatch(expected(line));
  });
});

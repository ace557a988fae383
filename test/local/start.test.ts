import { execSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { fireScheduled } from "../../local/control-client.ts";
import { cleanUp, configWith, getText, isRunning, spawnHost, temporaryFolder, until } from "./host-process.ts";

afterEach(cleanUp);

describe("a start", () => {
  test("prints where everything is, and nothing else on standard output", async () => {
    const data = temporaryFolder();
    const host = spawnHost({ EDGEVERSE_DATA: data }, []);
    await until(() => host.stdout().includes("Ctrl-C"));
    const token = readFileSync(join(data, "admin-token"), "utf8").trim();
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(statSync(join(data, "admin-token")).mode & 0o777).toBe(0o600);
    expect(host.stdout()).toMatch(/ url +http:\/\/127\.0\.0\.1:\d+\n/);
    expect(host.stdout()).toContain(token);
    expect(host.stdout()).toContain(data);
    // The fixture's own paths are all it has.
    expect(host.stdout()).toMatch(/ openapi +where your Worker puts it/);
    expect(host.stdout()).not.toContain("curl");
    expect(host.stderr()).toBe("");
  });

  test("ends with a call of what is served, and says where everything is described", async () => {
    const host = spawnHost(
      { EDGEVERSE_DATA: temporaryFolder() },
      [],
      ["--config", resolve("wrangler.toml"), "--no-postgres"],
    );
    await until(() => host.stdout().includes("Ctrl-C"));
    const [, openapi = "", guide = "", curl = ""] =
      / openapi +(\S+)\n +guide +(\S+)\n.*\n {2}(curl .*?)\n\nCtrl-C/s.exec(host.stdout()) ?? [];
    expect((await fetch(openapi)).status).toBe(200);
    expect(readFileSync(guide, "utf8")).toContain("# Guide");
    expect(JSON.parse(execSync(curl, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }))).toEqual({
      response: { value: 1 },
    });
  });

  test("gives the worker its variables, and leaves no secret on disk or in a command line", async () => {
    const data = temporaryFolder();
    const secret = "very-secret-token";
    const env = {
      EDGEVERSE_DATA: data,
      EDGEVERSE_ADMIN_TOKEN: secret,
      EDGEVERSE_MAILBOX: "7",
      GREETING: "not from here",
      OTHER: "x",
    };
    const host = await spawnHost(env).ready();
    expect(host.adminToken).toBe(secret);
    expect(JSON.parse(await getText(`${host.url}/env`))).toEqual({
      EDGEVERSE_ADMIN_TOKEN: secret,
      EDGEVERSE_MAILBOX: "7",
      GREETING: "hello",
      LIMITS: { calls: 3 },
    });
    for (const file of readdirSync(data, { recursive: true, withFileTypes: true }))
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), "latin1")).not.toContain(secret);
    expect(readFileSync(`/proc/${host.workerdPid}/cmdline`, "latin1")).not.toContain(secret);
  });

  test.each([
    [{ HOST: "192.0.2.1" }, "HOST 192.0.2.1 is not an address of this machine"],
    [{ EDGEVERSE_DATA: "/dev/null/x" }, "Cannot use the data folder /dev/null/x"],
    [{ EDGEVERSE_PARTITONS: "2" }, "EDGEVERSE_PARTITONS is not a setting; did you mean EDGEVERSE_PARTITIONS?"],
    [{ EDGEVERSE_PLACEMENT: '{"rulez":[]}' }, 'EDGEVERSE_PLACEMENT: it knows no "rulez"'],
  ])("refuses %o in one line", async (env, message) => {
    const host = spawnHost({ EDGEVERSE_DATA: temporaryFolder(), ...env });
    expect(await host.exited).toBe(1);
    expect(host.stderr()).toContain(message);
    expect(host.stderr().trim().split("\n")).toHaveLength(1);
  });

  test("says when the port is in use", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await until(() => server.listening);
    const { port } = server.address() as { port: number };
    const host = spawnHost({ EDGEVERSE_DATA: temporaryFolder(), PORT: String(port) });
    expect(await host.exited).toBe(1);
    expect(host.stderr()).toContain(`Port ${port} on 127.0.0.1 is in use`);
    server.close();
  });

  test("refuses a folder that another host uses", async () => {
    const data = temporaryFolder();
    const first = await spawnHost({ EDGEVERSE_DATA: data }).ready();
    const second = spawnHost({ EDGEVERSE_DATA: data });
    expect(await second.exited).toBe(1);
    expect(second.stderr()).toContain(`in use by another host (process ${first.pid})`);
    expect(await getText(`${first.url}/fired`)).toBe("[]");
  });

  test("takes over a lock whose process id now belongs to another process", async () => {
    const data = temporaryFolder();
    writeFileSync(join(data, "host.lock"), JSON.stringify({ pid: process.pid, started: "another boot/1" }));
    const host = await spawnHost({ EDGEVERSE_DATA: data }).ready();
    expect(JSON.parse(readFileSync(join(data, "host.lock"), "utf8"))).toMatchObject({ pid: host.pid });
  });
});

describe("the log", () => {
  const at = (line: number) => `test/local/fixture/throws.ts:${line}:`;

  test("has what nobody caught once, with its place in the author's files", async () => {
    const host = spawnHost({ EDGEVERSE_DATA: temporaryFolder() });
    const { url } = await host.ready();
    expect((await fetch(`${url}/throw`)).status).toBe(500);
    await until(() => host.stderr().includes(at(7)));
    expect(host.stderr()).toMatch(
      /^Uncaught TypeError: in the worker\n {4}at throwInWorker \(.*\n {4}at Object.fetch \(test\/local\/fixture\/worker.ts:/,
    );
    expect(host.stderr().match(/in the worker/g)).toHaveLength(1);
    expect((await fetch(`${url}/fail`)).status).toBe(500);
    await until(() => host.stderr().includes(at(3)));
    expect(host.stderr()).toContain("Uncaught TypeError: in the object\n    at throwInObject (");
    expect(host.stderr()).not.toContain("index.js");
  });

  test("has places in the author's files also inside a line of JSON", async () => {
    const data = temporaryFolder();
    const host = spawnHost({ EDGEVERSE_DATA: data });
    const { url } = await host.ready();
    await getText(`${url}/print`);
    await until(() => host.stderr().includes(at(11)));
    const [line] = host.stderr().split("\n");
    expect(JSON.parse(line ?? "")).toEqual({
      level: "error",
      error: expect.stringMatching(/^Error: as text\n {4}at stack \(test\/local\//),
    });
  });
});

describe("a host below a base path", () => {
  test("starts, and its log says where in the author's files a method threw", async () => {
    const config = resolve(import.meta.dirname, "fixture/throwing.jsonc");
    const worker = ["--config", config, "--no-postgres"];
    const host = spawnHost({ EDGEVERSE_DATA: temporaryFolder() }, ["--json"], worker);
    const { url } = await host.ready();
    const response = await fetch(`${url}/edge/api/v1/objects/call/Thrower/a/boom`, { method: "POST" });
    expect(response.status).toBe(500);
    await until(() => host.stderr().includes("a method threw"));
    const line = JSON.parse(host.stderr().split("\n")[0] ?? "");
    expect(line).toMatchObject({ level: "error", event: "a method threw", object: "Thrower/a" });
    expect(line.error).toMatch(/^TypeError: in the object\n {4}at throwInObject \(test\/local\/fixture\/throws.ts:3:/);
    expect(line.error).toMatch(/\n {4}at Thrower\.boom \(test\/local\/fixture\/throwing.ts:11:/);
  });
});

describe("the network", () => {
  test("crons come through the private socket and not through the public one", async () => {
    const data = temporaryFolder();
    const { url } = await spawnHost({ EDGEVERSE_DATA: data }).ready();
    const socket = join(data, "run/control.sock");
    await fireScheduled(socket, { cron: "1 2 * * *", scheduledTime: 60_000 });
    expect(JSON.parse(await getText(`${url}/fired`))).toEqual(["1 2 * * * 60000"]);
    await expect(fireScheduled(socket, { cron: "fail", scheduledTime: 0 })).rejects.toThrow("the cron failed");
    const response = await fetch(url, {
      method: "POST",
      body: JSON.stringify({ cron: "3 4 * * *", scheduledTime: 0 }),
    });
    expect(response.status).toBe(404);
    expect(JSON.parse(await getText(`${url}/fired`))).toHaveLength(1);
    expect(statSync(join(data, "run")).mode & 0o777).toBe(0o700);
  });

  test("the worker reaches a private address only by an origin that a variable names", async () => {
    const reached = createServer((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nreached"));
    }).listen(0, "127.0.0.1");
    await until(() => reached.listening);
    const origin = `http://127.0.0.1:${(reached.address() as { port: number }).port}`;
    const worker = ["--config", configWith(`COLLECTOR = "${origin}/v1"`), "--no-postgres"];
    const named = await spawnHost({ EDGEVERSE_DATA: temporaryFolder() }, ["--json"], worker).ready();
    expect(await getText(`${named.url}/fetch?url=${origin}/x`)).toBe("reached");
    expect((await fetch(`${named.url}/fetch?url=${named.url}/fired`)).ok).toBe(false);
    const other = await spawnHost({ EDGEVERSE_DATA: temporaryFolder() }).ready();
    expect(await getText(`${other.url}/fetch?url=${origin}/x`)).not.toContain("reached");
    reached.close();
  });
});

describe("an end", () => {
  test("SIGTERM lets a request in flight finish, frees folder and port, and exits 0", async () => {
    const data = temporaryFolder();
    const host = spawnHost({ EDGEVERSE_DATA: data });
    const { url, workerdPid } = await host.ready();
    const slow = getText(`${url}/slow?ms=600`);
    await getText(`${url}/fired`);
    host.child.kill("SIGTERM");
    expect(await slow).toBe("finished");
    expect(await host.exited).toBe(0);
    expect(isRunning(workerdPid)).toBe(false);
    expect(readdirSync(data)).not.toContain("host.lock");
    await expect(getText(url)).rejects.toThrow();
  });

  test("a second Ctrl-C doesn't wait for the request in flight", async () => {
    const host = spawnHost({ EDGEVERSE_DATA: temporaryFolder() });
    const { url, workerdPid } = await host.ready();
    const slow = getText(`${url}/slow?ms=5000`).catch(() => "cut off");
    await getText(`${url}/fired`);
    host.child.kill("SIGINT");
    await sleep(200);
    expect(isRunning(workerdPid)).toBe(true);
    host.child.kill("SIGINT");
    expect(await host.exited).toBe(130);
    await until(() => !isRunning(workerdPid), 1_000);
    expect(await slow).toBe("cut off");
  });

  test("kill -9 leaves no orphan, and a restart has the same data and token on the same port", async () => {
    const data = temporaryFolder();
    const first = spawnHost({ EDGEVERSE_DATA: data });
    const before = await first.ready();
    expect(await getText(`${before.url}/add`)).toBe("1");
    first.child.kill("SIGKILL");
    await first.exited;
    const { port } = new URL(before.url);
    const after = await spawnHost({ EDGEVERSE_DATA: data, PORT: port }).ready();
    expect(isRunning(before.workerdPid)).toBe(false);
    expect(after).toMatchObject({ url: before.url, adminToken: before.adminToken });
    expect(await getText(`${after.url}/add`)).toBe("2");
  });

  test("a workerd that dies is started again on the same port", async () => {
    const host = spawnHost({ EDGEVERSE_DATA: temporaryFolder() });
    const { url, workerdPid } = await host.ready();
    expect(await getText(`${url}/add`)).toBe("1");
    process.kill(workerdPid, "SIGKILL");
    await until(() => host.stderr().includes("workerd ended (signal SIGKILL): starting it again"));
    await until(() =>
      getText(`${url}/fired`).then(
        () => true,
        () => false,
      ),
    );
    expect(await getText(`${url}/add`)).toBe("2");
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
  });
});

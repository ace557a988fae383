import { describe, expect, test } from "vitest";
import { type WorkerdConfigOptions, workerdConfig } from "../../local/workerd-config.ts";

const OPTIONS: WorkerdConfigOptions = {
  host: "127.0.0.1",
  port: 8787,
  controlSocket: "/data/run/control.sock",
  objectsFolder: "/data/objects",
  worker: {
    compatibilityDate: "2026-10-01",
    compatibilityFlags: ["nodejs_als"],
    durableObjects: [
      { binding: "PARTITION", className: "Partition" },
      { binding: "PARTITION_AGAIN", className: "Partition" },
    ],
    classes: [
      { className: "Partition", sqlite: true },
      { className: "Old", sqlite: false },
    ],
  },
  binaries: [{ name: "add-1.wasm", kind: "wasm" }],
  fromEnvironment: ["EDGEVERSE_ADMIN_TOKEN", "DATABASE_URL"],
  json: { LIMITS: { calls: 3 } },
  privateOrigins: ["http://127.0.0.1:5555"],
};

describe("workerdConfig", () => {
  test("bounds V8's heap only where a bound is given", () => {
    expect(workerdConfig(OPTIONS)).not.toContain("v8Flags");
    expect(workerdConfig({ ...OPTIONS, heap: 128 })).toContain('v8Flags = ["--max-old-space-size=128"]');
  });

  test("binds secrets by name only", () => {
    const config = workerdConfig(OPTIONS);
    expect(config).toContain('(name = "EDGEVERSE_ADMIN_TOKEN", fromEnvironment = "EDGEVERSE_ADMIN_TOKEN")');
    expect(config).toContain('(name = "DATABASE_URL", fromEnvironment = "DATABASE_URL")');
    expect(config).toContain('(name = "LIMITS", json = "{\\"calls\\":3}")');
  });

  test("declares each class once, with a key of its own, and SQL as its migration says", () => {
    expect(workerdConfig(OPTIONS).match(/\(className = .*\)/g)).toEqual([
      '(className = "Partition", uniqueKey = "edgeverse-Partition", enableSql = true)',
      '(className = "Old", uniqueKey = "edgeverse-Old", enableSql = false)',
    ]);
  });

  test("loads what the bundle has beside JavaScript", () => {
    expect(workerdConfig(OPTIONS)).toContain('(name = "add-1.wasm", wasm = embed "add-1.wasm")');
  });

  test("serves the worker in public and the control entry point on the Unix socket only", () => {
    const config = workerdConfig(OPTIONS);
    expect(config).toContain('(name = "http", address = "127.0.0.1:8787", http = (), service = "main")');
    expect(config.match(/entrypoint = "Edge/g)).toHaveLength(1);
    expect(config).toMatch(
      /address = "unix:\/data\/run\/control\.sock", http = \(\),\s+service = \(name = "main", entrypoint = "EdgeverseControl"\)/,
    );
  });

  test("gives the worker no way to the network but the outbound filter", () => {
    const config = workerdConfig(OPTIONS);
    expect(config).toContain('globalOutbound = "outbound"');
    expect(config).toContain('(name = "ORIGINS", json = "[\\"http://127.0.0.1:5555\\"]")');
    expect(config).toContain('(name = "internet", network = (allow = ["public"]');
  });

  test("writes IPv6 addresses in brackets", () => {
    expect(workerdConfig({ ...OPTIONS, host: "::1" })).toContain('address = "[::1]:8787"');
  });

  test("quotes what would break out of a literal", () => {
    const config = workerdConfig({ ...OPTIONS, objectsFolder: '/da"ta\\ö\n' });
    expect(config).toContain('path = "/da\\"ta\\\\\\xc3\\xb6\\x0a"');
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CallOptions, EdgeverseError, method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const guide = readFileSync(join(import.meta.dirname, "../../docs/guide.md"), "utf8");
const [, table = ""] = /\| The method \| Code .*\n\|[-|]+\n((?:\|.*\n)+)/.exec(guide) ?? [];
const rows = table
  .trim()
  .split("\n")
  .map((line) => line.slice(2, -2).split(" | "));

const LARGE = "x".repeat(1_100_000);

/** Ends its methods in every way that the guide lists. */
class Thrower extends VirtualObject.withState(
  z.object({ text: z.string().default(""), count: z.number().int().default(0) }),
) {
  static override readonly type = "Thrower";
  static override readonly timeout = "1s";
  static override readonly methods = {
    run: method({ request: z.string() }),
    read: method({ readonly: true }),
    forward: method({ request: z.object({ name: z.enum(["run", "read"]), row: z.string() }) }),
  };

  async run(row: string): Promise<unknown> {
    this.state.count++;
    switch (row) {
      case 'calls `this.fail("CLOSED", "…")`':
        return this.fail("CLOSED", "…");
      case 'throws `new EdgeverseError("CONFLICT", "…")`':
        throw new EdgeverseError("CONFLICT", "…");
      case 'throws `new EdgeverseError("UNAVAILABLE", "…")`':
        throw new EdgeverseError("UNAVAILABLE", "…");
      case 'throws `new EdgeverseError("CONFLICT", "…", { reason: "BUSY", retryable: true })`':
        throw new EdgeverseError("CONFLICT", "…", { reason: "BUSY", retryable: true });
      case "throws anything else, such as a `TypeError`":
        return (undefined as unknown as { missing: string }).missing;
      case "returns something that is not JSON":
        return new Date(0);
      case "leaves a state that its schema refuses":
        this.state.count = 0.5;
        return "left";
      case "leaves a state of over 1 MiB":
        this.state.text = LARGE;
        return "left";
      case "stores a value of over 1 MiB":
        this.store.put("large", LARGE);
        return "stored";
      case "makes a call that would wait for itself":
        return await this.object(Thrower, this.id).run("again");
      case "passes its deadline":
        return await new Promise(() => undefined);
      default:
        throw new Error(`the guide says nothing of ${row}`);
    }
  }
  read() {
    this.state.count++;
  }
  async forward({ name, row }: { name: "run" | "read"; row: string }) {
    const other = this.object(Thrower, "other");
    return name === "run" ? await other.run(row) : await other.read();
  }
}

describe("the table of errors in docs/guide.md", () => {
  test("is there", () => {
    expect(rows.length).toBeGreaterThan(10);
    expect(new Set(rows.map(([row]) => row)).size).toBe(rows.length);
  });

  test.each(rows)("[OBJ2] [CALL2] is right: %s", async (...cells) => {
    const [row = "", code = "", status, reason, retryable, then = ""] = cells.map((cell) =>
      cell.replace(/^`(\w+)`$/, "$1"),
    );
    const name = row === "is readonly and writes" ? "read" : "run";
    const request = name === "run" ? row : undefined;
    // Until a call that is tried 16 times, a second each and half a minute apart, has its outcome.
    const ended = async (callName: string, body: unknown, options?: CallOptions) => {
      const cluster = new TestCluster({ objects: [Thrower] });
      const reply = cluster.send("Thrower", "t", callName, body, {
        timeout: options === undefined ? 2_000 : 600_000,
        ...options,
      });
      await cluster.clock.advance(500_000);
      const record = await cluster.router.ask({ type: "Counter", id: "t" }, Number.POSITIVE_INFINITY, (client) =>
        client.callRecord("Thrower", "t", options?.callId ?? "none"),
      );
      const raced = await Promise.race([reply, Promise.resolve(undefined)]);
      return { error: raced?.kind === "error" ? EdgeverseError.from(raced.error) : undefined, record, cluster };
    };

    for (const plain of [await ended(name, request), await ended("forward", { name, row })]) {
      expect(plain.error).toMatchObject({
        code,
        status: Number(status),
        retryable: retryable === "yes",
        reason: reason === "–" ? undefined : reason,
      });
      expect(plain.cluster.storage("p0").query("SELECT id FROM objects"), "rolled back").toEqual([]);
    }

    const { record, error } = await ended(name, request, { callId: "c1" });
    if (then === "ends as `failed`") expect(record).toMatchObject({ status: "failed", attempts: 1, error: { code } });
    else if (then === "is tried again, 16 times in all")
      expect(record).toMatchObject({ status: "failed", attempts: 16, error: { code } });
    else {
      expect(then).toBe("is tried again");
      expect([record, error]).toMatchObject([{ status: "pending" }, undefined]);
      expect((record as { attempts: number }).attempts).toBeGreaterThan(16);
    }
  });
});

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CODES } from "../../src/errors/codes.ts";

const text = readFileSync(fileURLToPath(import.meta.resolve("../../docs/errors.md")), "utf8");
const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| (yes|no) \| (.+?) \| (.+?) \|$/gm)];

describe("docs/errors.md", () => {
  it("[HTTP2] explains exactly the codes there are, each once, with its status and whether a retry may help", () => {
    const documented = rows.map(([, code, status, retryable]) => [code, Number(status), retryable === "yes"]);
    const real = Object.entries(CODES).map(([code, { status, retryable }]) => [code, status, retryable]);
    expect(documented).toEqual(real);
  });

  it("says when each happens and what to do", () => {
    for (const [, code, , , when, todo] of rows) {
      expect(when?.length, code).toBeGreaterThan(15);
      expect(todo?.length, code).toBeGreaterThan(10);
    }
  });
});

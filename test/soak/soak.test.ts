import { afterAll, expect, test } from "vitest";
import { cleanUp } from "../local/host-process.ts";
import { soak } from "./soak.ts";

const SECONDS = Number(process.env["EDGEVERSE_TEST_SOAK"] ?? 60);

afterAll(cleanUp);

test(`[CALL1][MIG1][TURN3] ${SECONDS} s of poison, moves, silence, outages and kills break no promise`, {
  timeout: SECONDS * 1_000 + 300_000,
}, async () => {
  const seed = Number(process.env["EDGEVERSE_TEST_SEED"] ?? Date.now() % 1_000_000);
  const report = await soak({ seconds: SECONDS, seed });
  console.info(JSON.stringify(report));
  expect(report.broken).toEqual([]);
  expect(report.healthy.calls).toBeGreaterThan(200);
});

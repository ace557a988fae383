import { afterAll, expect, test } from "vitest";
import { cleanUp } from "../local/host-process.ts";
import { room } from "./room.ts";

const SECONDS = 10;
const CLIENTS = 200;

afterAll(cleanUp);

test(`[PUSH1] [PUSH4] ${CLIENTS} clients in one room hear all once and in order, whatever ends meanwhile, or are told of a gap`, {
  timeout: 180_000,
}, async () => {
  const seed = Number(process.env["EDGEVERSE_TEST_SEED"] ?? Date.now() % 1_000_000);
  const report = await room({ clients: CLIENTS, seconds: SECONDS, seed, gates: 3, rate: 10 });
  console.info(JSON.stringify(report));
  expect(report.broken).toEqual([]);
  expect(report.said).toBeGreaterThan(0);
});

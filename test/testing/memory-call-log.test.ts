import { MemoryCallLog } from "../../src/testing/memory-call-log.ts";
import { callLogContract } from "../contract/call-log.ts";

callLogContract("memory", async () => {
  const log = new MemoryCallLog({ now: () => 1_790_000_000_000 });
  const broken = new MemoryCallLog({ now: () => 0 });
  broken.down = true;
  return { log, broken, close: async () => {} };
});

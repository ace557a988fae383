export { ManualClock, systemClock } from "./clocks.ts";
export { FusedStorage } from "./fused-storage.ts";
export { MemoryCallLog } from "./memory-call-log.ts";
export { SqliteStorage } from "./sqlite-storage.ts";
export { type TestCall, TestCluster, type TestClusterOptions } from "./test-cluster.ts";

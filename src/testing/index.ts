/** `edgeverse/testing`: an author's classes in a whole cluster, in Node; and under the simulation. */
export type { Clock } from "../platform/ports.ts";
export { ManualClock, systemClock } from "./clocks.ts";
export { MemoryCallLog } from "./memory-call-log.ts";
export { type SimulateOptions, type SimulationResult, simulate } from "./simulation/simulate.ts";
export { type SimulateSeedsOptions, simulateSeeds } from "./simulation/simulate-seeds.ts";
export type { Workload, WorkloadAnswer, WorkloadCall, WorkloadCheck, WorkloadClient } from "./simulation/workload.ts";
export { SqliteStorage } from "./sqlite-storage.ts";
export { type CrashTime, TestCluster } from "./test-cluster.ts";
export type { TestClusterOptions } from "./test-cluster-options.ts";
export type { ClientMessage, TestConnection } from "./test-connection.ts";
export type { ConnectOptions } from "./test-gates.ts";
export type { TestWatch } from "./test-watch.ts";

/** `edgeverse/postgres`: for an application with its own access to the database that holds the log of reliable calls. */
export { reliableCalls } from "../schema/reliable-calls.ts";
export { type CallExecutor, type EnqueuedCall, enqueueCall } from "./enqueue-call.ts";

/** `edgeverse/log`: what an application with its own Postgres access needs; free of everything that runs in a worker. */
export { reliableCalls } from "../schema/reliable-calls.ts";
export { enqueueCall } from "./reliable/enqueue-call.ts";

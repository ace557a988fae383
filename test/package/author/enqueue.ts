import { type CallExecutor, enqueueCall } from "edgeverse/postgres";

const statements: unknown[] = [];
const tx: CallExecutor = { execute: async (query) => statements.push(query) };
console.log(await enqueueCall(tx, { type: "Counter", id: "a", method: "add", callId: "order-7" }), statements.length);

import { workerData } from "node:worker_threads";
import { PgliteDatabase } from "./pglite-database.ts";

// A thread of its own: making a database takes several times the memory of one that is open, and only a thread that ends
// gives it back.
await PgliteDatabase.make(workerData as string);

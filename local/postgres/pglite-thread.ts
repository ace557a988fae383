import { parentPort, workerData } from "node:worker_threads";
import type { SqlResult, SqlStatement } from "./executor.ts";
import { PgliteDatabase } from "./pglite-database.ts";

/** What the executor asks of its thread; without statements it asks to close. */
export interface ThreadRequest {
  readonly id: number;
  readonly statements?: readonly SqlStatement[];
  readonly transaction?: boolean;
}

/** An error is sent as its fields: a structured clone of it would lose the SQLSTATE. */
export interface ThreadReply {
  readonly id: number;
  readonly results?: SqlResult[];
  readonly error?: Record<string, unknown>;
}

/** Id of the reply that says whether the database could be opened. */
export const OPENED = 0;

const port = parentPort;
if (port !== null) {
  const reply = (message: ThreadReply) => port.postMessage(message);
  try {
    const database = await PgliteDatabase.open(workerData as string);
    port.on("message", async ({ id, statements, transaction }: ThreadRequest) => {
      try {
        if (statements !== undefined)
          return reply({ id, results: await database.run(statements, transaction === true) });
        await database.close();
        reply({ id });
        port.close();
      } catch (error) {
        reply({ id, error: fields(error) });
      }
    });
    reply({ id: OPENED });
  } catch (error) {
    reply({ id: OPENED, error: fields(error) });
    port.close();
  }
}

function fields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const simple = Object.entries(error).filter(([, value]) => typeof value === "string");
  return { ...Object.fromEntries(simple), message: error.message };
}

import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { writeMeta } from "../../platform/meta.ts";
import type { SqlStorage } from "../../platform/ports.ts";

const FULL = /SQLITE_FULL|database or disk is full|exceeded (?:its |the )?(?:maximum|storage)/i;

const refusals = new WeakSet<object>();

/** Why a write that failed alone was not stored. Nothing of it was. */
export function refusal(storage: SqlStorage, cause: unknown): EdgeverseError {
  const error = reason(storage, cause);
  refusals.add(error);
  return error;
}

/** Whether a turn ended because the database did not take what it began from, or would have stored. */
export function isRefusal(error: EdgeverseError): boolean {
  return refusals.has(error) || (error.cause instanceof EdgeverseError && refusals.has(error.cause));
}

/** What `action` reads. That the storage fails is not the method's fault: the call may be tried again. */
export function readable<T>(action: () => T, message = "The partition can't use its storage"): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof EdgeverseError) throw cause;
    throw new EdgeverseError("UNAVAILABLE", message, { cause });
  }
}

function reason(storage: SqlStorage, cause: unknown): EdgeverseError {
  if (cause instanceof EdgeverseError) return cause;
  const trouble = FULL.test(String(cause)) ? cause : storageTrouble(storage);
  if (trouble === undefined) {
    return new EdgeverseError("COMMIT_REFUSED", "The database refuses what the turn would store; nothing was changed", {
      cause,
    });
  }
  if (FULL.test(String(trouble))) {
    return new EdgeverseError(
      "STORAGE_FULL",
      "The partition's database is full; nothing was changed. Delete data, or move shards to another partition",
      { cause, retryAfter: 30 },
    );
  }
  return new EdgeverseError("UNAVAILABLE", "The partition can't write to its storage; nothing was changed", {
    cause,
    retryAfter: 1,
  });
}

/** What fails when a small row is written: then it is the storage that is in trouble, and not the turn's data. */
function storageTrouble(storage: SqlStorage): unknown {
  try {
    storage.transaction(() => writeMeta(storage, "probe", "1"));
    return undefined;
  } catch (error) {
    return error;
  }
}

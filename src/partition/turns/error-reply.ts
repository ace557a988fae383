import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Reply } from "../../object/message.ts";

/** An error that is not one of ours comes from the storage, before a turn began: the caller may try again. */
export function errorReply(error: unknown): Reply {
  const known =
    error instanceof EdgeverseError
      ? error
      : new EdgeverseError("UNAVAILABLE", "The partition can't use its storage", { cause: error });
  return { kind: "error", error: known.toWire() };
}

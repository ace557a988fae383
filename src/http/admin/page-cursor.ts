import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { ObjectCursor } from "../../router/views.ts";

/** Where a walk over all partitions goes on: in `partition`, after `after`, or at its start. */
export interface PageCursor {
  readonly partition: string;
  readonly after?: ObjectCursor | undefined;
}

const cursorSchema = z.strictObject({
  partition: z.string(),
  after: z
    .strictObject({
      position: z
        .number()
        .int()
        .min(-1)
        .max(2 ** 32),
      type: z.string().max(64),
      id: z.string().max(512),
    })
    .optional(),
});

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

export function writeCursor(cursor: PageCursor): string {
  const bytes = encoder.encode(JSON.stringify(cursor));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** @throws EdgeverseError `INVALID_ARGUMENT` */
export function readCursor(text: string): PageCursor {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (unit) => unit.charCodeAt(0));
    return cursorSchema.parse(JSON.parse(decoder.decode(bytes)));
  } catch (cause) {
    throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the cursor: it is not one of an earlier page", { cause });
  }
}

import type * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** A cursor that says where a list goes on. Clients don't look into it. */
export function writeCursor(place: unknown): string {
  const bytes = encoder.encode(JSON.stringify(place));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The place in a cursor, undefined for none. @throws EdgeverseError `INVALID_ARGUMENT` */
export function readCursor<Schema extends z.ZodType>(
  text: string | undefined,
  schema: Schema,
): z.output<Schema> | undefined {
  if (text === undefined) return undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (unit) => unit.charCodeAt(0));
    return schema.parse(JSON.parse(decoder.decode(bytes)));
  } catch (cause) {
    throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the cursor: it is not one of an earlier page", { cause });
  }
}

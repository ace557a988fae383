import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { about, wholeNumber } from "../schemas.ts";

const cursor = z.string().max(4_096).optional().register(about, { description: "The `cursor` of the page before" });

/** What every list takes in its query ([HTTP11]). */
export const pageQuery = {
  limit: wholeNumber(1, 1_000).default(100).register(about, { description: "Rows of the page, at most" }),
  cursor,
};

/** The same in a body, where numbers are numbers. */
export const pageBody = {
  limit: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .register(about, { description: "Rows of the page: 100 by default" }),
  cursor,
};

/** What every list answers beside its rows. */
export const pageAnswer = {
  cursor: z.string().optional().register(about, { description: "For the next page; absent on the last" }),
};

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

/** The sequence number of a page's last row, which the next page goes on before. */
export const numberPlace = z.number().int().nonnegative();

/** The cursor of a list that is ordered by number, newest first; none when this page was not full. */
export function cursorAfter(last: number | undefined, rows: number, limit: number): { cursor?: string } {
  return last === undefined || rows < limit ? {} : { cursor: writeCursor(last) };
}

import * as z from "zod";
import { writeCursor } from "../../router/cursor.ts";
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

/** The sequence number of a page's last row, which the next page goes on before. */
export const numberPlace = z.number().int().nonnegative();

/** The cursor of a list that is ordered by number, newest first; none when this page was not full. */
export function cursorAfter(last: number | undefined, rows: number, limit: number): { cursor?: string } {
  return last === undefined || rows < limit ? {} : { cursor: writeCursor(last) };
}

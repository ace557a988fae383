import type { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Entry } from "./call-entry.ts";

/**
 * Whether the circle that a `DEADLOCK` tells of goes through the line of the call that met it ([TURN7]): a turn on the circle
 * waits for a call of that line, which is this one or stands behind it. Then the circle is there whenever the call is tried.
 */
export function closedByLine(error: EdgeverseError, line: readonly Entry[]): boolean {
  if (error.code !== "DEADLOCK") return false;
  const circle = circleOf(error);
  return line.some(({ chain = [], joined }) =>
    [chain, ...joined].some((links) => links.some(({ key }) => circle.has(key))),
  );
}

/** `details.chain` leads into the circle, and once round: its last object is there before. */
function circleOf({ details }: EdgeverseError): ReadonlySet<unknown> {
  const chain = (details as { readonly chain?: unknown } | undefined)?.chain;
  return new Set(Array.isArray(chain) ? chain.slice(chain.indexOf(chain.at(-1))) : []);
}

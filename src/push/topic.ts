import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Bounds of a topic. */
export const TOPIC = { bytes: 256, segments: 8 } as const;

/** No control characters, and no `*`, which patterns are made of. */
const SEGMENT = /^[^\p{Cc}*/]+$/u;
const encoder = new TextEncoder();

/** @throws EdgeverseError `INVALID_ARGUMENT` unless it is a topic: a name, or several between slashes */
export function checkTopic(topic: unknown): string[] {
  return check(topic, (segment) => SEGMENT.test(segment));
}

/**
 * A pattern names many topics: `*` is any one segment, and `**` at the end is the rest, one segment or more.
 * @throws EdgeverseError `INVALID_ARGUMENT`
 */
export function checkPattern(pattern: unknown): string[] {
  return check(
    pattern,
    (segment, last) => segment === "*" || (segment === "**" && last) || SEGMENT.test(segment),
    'or "*" for any one, or "**" at the end for the rest',
  );
}

function check(
  text: unknown,
  fits: (segment: string, last: boolean) => boolean,
  more = "patterns are only for listening",
): string[] {
  if (typeof text === "string" && text.length <= TOPIC.bytes && encoder.encode(text).length <= TOPIC.bytes) {
    const segments = text.split("/");
    const { length } = segments;
    if (length <= TOPIC.segments && segments.every((segment, index) => fits(segment, index === length - 1)))
      return segments;
  }
  throw new EdgeverseError(
    "INVALID_ARGUMENT",
    `Cannot use the topic: it must be 1 to ${TOPIC.segments} names between slashes, ${TOPIC.bytes} bytes at most, ` +
      `without control characters and "*"; ${more}`,
  );
}

/** Whether every topic of the pattern `inner` is one of the pattern `outer`. A topic is a pattern of itself alone. */
export function covers(outer: readonly string[], inner: readonly string[]): boolean {
  for (const [index, segment] of outer.entries()) {
    const other = inner[index];
    if (other === undefined) return false;
    if (segment === "**") return true;
    if (other === "**" || (segment !== "*" && segment !== other)) return false;
  }
  return outer.length === inner.length;
}

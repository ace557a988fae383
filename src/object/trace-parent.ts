const TRACEPARENT = /^(?!ff)([0-9a-f]{2})(-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(-.*)?$/;

/** A W3C `traceparent` as version 00 writes it; undefined for one that must be ignored. */
export function traceParent(header: string | null | undefined): string | undefined {
  if (header === null || header === undefined) return undefined;
  const match = TRACEPARENT.exec(header);
  if (match === null || (match[1] === "00" && match[3] !== undefined)) return undefined;
  return `00${match[2]}`;
}

/**
 * JSON texts in jsonb columns. jsonb refuses two things JSON allows: the character U+0000 and half of a surrogate pair.
 * Such a text is kept whole inside a wrapper, `{"edgeverse:json": "<the text>"}`: nothing is lost, a call driven again from
 * the log gets the request it was made with, and only that row is harder to query in SQL.
 */
const MARKER = "edgeverse:json";
const PREFIX = `{"${MARKER}": "`;

/** The text to store for a JSON text; `null` (no value) stays null. */
export function toJsonbText(text: string | null): string | null {
  return text !== null && mustWrap(text) ? wrapJsonText(text) : text;
}

/** Wraps any text, even one that jsonb refuses for another reason (a number of 200,000 digits, nesting too deep). */
export function wrapJsonText(text: string): string {
  // Half a surrogate pair that is not escaped has no UTF-8 form: it would become U+FFFD on the wire in any case.
  return `{"${MARKER}":${JSON.stringify(text.toWellFormed())}}`;
}

/** The JSON text that was stored, from what Postgres gives for `column::text`. */
export function fromJsonbText(stored: string | null): string | null {
  // jsonb prints an object of one key in exactly one way, so the prefix tells the wrapper from a value of the application.
  if (stored === null || !stored.startsWith(PREFIX)) return stored;
  const value: Record<string, unknown> = JSON.parse(stored);
  const inner = value[MARKER];
  return typeof inner === "string" && Object.keys(value).length === 1 ? inner : stored;
}

function mustWrap(text: string): boolean {
  // A value that looks like a wrapper must be wrapped itself, or reading it would unwrap it.
  if (text.includes(MARKER)) return true;
  if (!text.includes("\\u")) return false;
  // Walks all escapes, so that `\\u0000` (a backslash, then letters) is not taken for a NUL.
  for (const [unit] of text.matchAll(/\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|[^u])/gs)) {
    if (unit.length !== 6) continue;
    // Also printable ASCII: the marker can be spelled with escapes.
    if (/^\\u(?:0000|00[2-7]|[dD][89a-fA-F])/.test(unit)) return true;
  }
  return false;
}

import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { exceedsBytes } from "./json.ts";

/**
 * A call's request, taken out of the parsed body, as the JSON text a `CallMessage` carries. Writing it anew is cheaper than
 * finding where it began: a slice of the body would have to prove that no key came twice.
 *
 * @param limit bytes of JSON the request may have
 * @param at the request's path in the body
 * @returns undefined for no request; null is none
 * @throws EdgeverseError `PAYLOAD_TOO_LARGE`, or `INVALID_ARGUMENT` for a number that no double can hold
 */
export function requestText(request: unknown, limit: number, at: readonly (string | number)[]): string | undefined {
  if (request === undefined || request === null) return undefined;
  const text = JSON.stringify(request);
  if (exceedsBytes(text, limit)) {
    throw new EdgeverseError("PAYLOAD_TOO_LARGE", `The request is over ${limit} bytes of JSON`);
  }
  // JSON.parse makes 1e999 Infinity, and JSON.stringify makes that null: another request than the one that was sent.
  if (text.includes("null")) checkFinite(request, [...at]);
  return text;
}

function checkFinite(value: unknown, path: (string | number)[]): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    const issue = { path: [...path], message: "the number is too large", code: "too_big" };
    throw new EdgeverseError("INVALID_ARGUMENT", `The body does not fit at ${path.join(".")}: ${issue.message}`, {
      details: { issues: [issue] },
    });
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    path.push(Array.isArray(value) ? Number(key) : key);
    checkFinite(member, path);
    path.pop();
  }
}

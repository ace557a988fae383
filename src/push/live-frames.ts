import type { WireError } from "../errors/edgeverse-error.ts";

/** The whole of an object, as a client sees it. */
export function stateFrame(id: number, version: number, state: string): string {
  return `{"kind":"state","id":${id},"version":${version},"state":${state}}`;
}

/** What makes the version that the client has, `from`, the next one. */
export function patchFrame(id: number, version: number, from: number, patch: string): string {
  return `{"kind":"patch","id":${id},"version":${version},"from":${from},"patch":${patch}}`;
}

/** There is no such object now. */
export function goneFrame(id: number): string {
  return `{"kind":"gone","id":${id}}`;
}

/** Why a client watches no more. */
export function watchEndFrame(id: number, { code, message, retryable, retryAfter, details }: WireError): string {
  return JSON.stringify({ kind: "result", id, error: { code, message, retryable, retryAfter, details } });
}

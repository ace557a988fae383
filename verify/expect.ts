import { isDeepStrictEqual } from "node:util";
import type { Answer } from "./deployment.ts";
import { Failure } from "./failure.ts";

const MOST = 300;

/** @throws Failure unless the two are the same JSON */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Failure(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** @throws Failure */
export function isTrue(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Failure(what);
}

/** @throws Failure unless it is a problem with this status and code */
export function isProblem(answer: Answer, status: number, code: string, what: string): void {
  if (answer.status === status && answer.code === code) return;
  throw new Failure(`${what}: expected ${status} ${code}, got ${shown(answer)}`);
}

/** The body of an answer with this status. @throws Failure for another status, or a body that is not JSON */
export function bodyOf<Body>(answer: Answer, what: string, status = 200): Body {
  if (answer.status === status && answer.json !== undefined) return answer.json as Body;
  throw new Failure(`${what}: expected ${status} with JSON, got ${shown(answer)}`);
}

/** An answer in a few words. */
export function shown({ status, text }: Answer): string {
  return `${status} ${cut(text.replaceAll(/\s+/g, " "))}`;
}

function show(value: unknown): string {
  return cut(JSON.stringify(value) ?? String(value));
}

function cut(text: string): string {
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
}

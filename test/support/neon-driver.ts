import { type NeonQueryFunction, neon, neonConfig } from "@neondatabase/serverless";
import { expect } from "vitest";

/** Neon's own driver, which sends by `fetch` from now on: it knows one for the whole process. */
export function neonDriver(
  url: string,
  fetch: (endpoint: string, init: RequestInit) => Promise<Response>,
): NeonQueryFunction<false, false> {
  neonConfig.fetchFunction = fetch;
  return neon(url, { disableWarningInBrowsers: true });
}

/** What an action that must fail throws. */
export function failureOf(action: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(action).then(
    () => expect.unreachable("it did not fail"),
    (error: unknown) => error,
  );
}

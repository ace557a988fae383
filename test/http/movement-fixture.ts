import { BEARER, type HttpFixture } from "./http-fixture.ts";

export const send = (http: HttpFixture, method: string, path: string, body?: unknown) =>
  http.fetch(`/admin/v1/${path}`, {
    method,
    headers: BEARER,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
export const json = async <T = Record<string, unknown>>(response: Promise<Response>) =>
  (await (await response).json()) as T;

/** Lets the coordinator work. */
export const settle = async (http: HttpFixture) => {
  for (let round = 0; round < 20; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    await http.clock.advance(200);
  }
};

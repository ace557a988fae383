import { isLikeApiKey } from "../access/api-key.ts";
import type { Identity } from "../access/identity.ts";
import type { KeyVerdicts } from "./key-verdicts.ts";

/** Characters of a header that are looked at: a key has 60. */
const LONGEST = 256;

/** The key that a request has as its bearer token, if it has one; too long a one is cut, and so none that counts. */
export function apiKeyOf(request: Request): string | undefined {
  const header = (request.headers.get("authorization") ?? "").slice(0, LONGEST);
  const text = /^Bearer +(\S+)$/i.exec(header)?.[1];
  return text !== undefined && isLikeApiKey(text) ? text : undefined;
}

/** For whom a request is made that has an API key; undefined for one without. @throws EdgeverseError `UNAUTHENTICATED` and others */
export async function identityByKey(request: Request, verdicts: () => KeyVerdicts): Promise<Identity | undefined> {
  const text = apiKeyOf(request);
  return text === undefined ? undefined : verdicts().identityOf(text);
}

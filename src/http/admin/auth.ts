import { EdgeverseError } from "../../errors/edgeverse-error.ts";

const encoder = new TextEncoder();

/**
 * Lets an operator in ([ACC3]). The tokens' digests are compared, so the time it takes says nothing about the token.
 * @throws EdgeverseError `NOT_FOUND` when no token is configured: there is no admin API; `UNAUTHENTICATED` otherwise
 */
export async function checkAdmin(request: Request, token: string | undefined): Promise<void> {
  if (token === undefined || token === "") throw new EdgeverseError("NOT_FOUND", "Nothing is served here");
  const given = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const [expected, actual] = await Promise.all([digest(token), digest(given ?? "")]);
  let difference = given === undefined ? 1 : 0;
  expected.forEach((byte, index) => {
    difference |= byte ^ (actual[index] as number);
  });
  if (difference !== 0) throw new EdgeverseError("UNAUTHENTICATED", "The admin API needs the admin token as bearer");
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

import { EdgeverseError } from "edgeverse";
import type { WorkloadAnswer, WorkloadCall } from "edgeverse/testing";

/** What a refusal says, in place of an answer. */
export interface Refused {
  readonly refused: string;
}

/**
 * Makes a reliable call, and now and then the same call again under the same id: it must get the same outcome. A refusal is
 * an outcome too; any other error is thrown.
 */
export async function repeated<Answer>(
  random: WorkloadCall["random"],
  call: () => Promise<Answer>,
): Promise<Answer | Refused> {
  const outcome = () =>
    call().catch((error: unknown): Refused => {
      if (error instanceof EdgeverseError && error.code === "CALL_FAILED") return { refused: String(error.reason) };
      throw error;
    });
  const first = await outcome();
  for (let times = random.pick([0, 0, 1, 2]); times > 0; times--) {
    const [before, now] = [JSON.stringify(first), JSON.stringify(await outcome())];
    if (now !== before) throw new Error(`a call was answered ${before}, and when it was repeated ${now}`);
  }
  return first;
}

/** @throws Error unless they are the same JSON */
export function same(what: string, found: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: ${left} instead of ${right}`);
}

/** What clients did, without what did not take effect. @throws Error when a call failed */
export function deedsOf<Answer>(answers: readonly WorkloadAnswer<Answer>[]): NonNullable<Answer>[] {
  const failed = answers.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(`call ${failed.n} failed: ${failed.error}`);
  return answers.map(({ answer }) => answer).filter((answer) => answer !== undefined && answer !== null);
}

export function ofKind<Deed extends { readonly kind: string }, Kind extends Deed["kind"]>(
  deeds: readonly Deed[],
  kind: Kind,
): Extract<Deed, { kind: Kind }>[] {
  return deeds.filter((deed): deed is Extract<Deed, { kind: Kind }> => deed.kind === kind);
}

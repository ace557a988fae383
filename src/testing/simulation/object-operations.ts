import type { Reply } from "../../object/message.ts";
import type { Sent } from "./history.ts";
import type { LedgerView } from "./ledger.ts";
import type { ListOperation } from "./linearizability.ts";
import { POISON } from "./sim-storage.ts";
import { Violation } from "./violation.ts";

/** The mark of a reliable call, as its owner has it at the end. */
export interface Mark {
  readonly id: string;
  readonly callId: string;
  readonly seq: number;
  readonly status: string;
  readonly response: string | null;
}

/** What a mark is found by. An author's object can have the id and the call ids of a ledger, or of one of another type. */
export function markKey(id: string, callId: string, type = "SimulatedLedger"): string {
  return `${type}/${id} ${callId}`;
}

/** A delete whose first copy was answered too late may run again. */
const GHOSTS = 2;

/** What clients did to each object, as operations on its list. Checks on the way what can be told from one call alone. */
export function operationsOf(sent: readonly Sent[], marks: ReadonlyMap<string, Mark>): Map<string, ListOperation[]> {
  const operations = new Map<string, ListOperation[]>();
  const put = (object: string, made: readonly ListOperation[]) => {
    operations.set(object, [...(operations.get(object) ?? []), ...made]);
  };
  for (const entry of sent) {
    const { object, deed } = entry;
    if (deed === "list") put(object, reading(entry));
    else if (deed === "delete") put(object, deletion(entry));
    else if (entry.reliable) put(object, reliable(entry, marks.get(markKey(object, entry.token))));
    else put(object, plain(entry));
    if (deed === "forward" || deed === "ask" || deed === "send") put(entry.to, inner(entry, marks));
    if (deed === "send") put(entry.to, inner(entry, marks, ">>"));
    if (deed === "send") put(object, [later(entry, "<")]);
    if (deed === "remindMe") put(object, [later(entry, "!")]);
  }
  return operations;
}

function answered({ replies }: Sent): { moment: number; response: string } | undefined {
  for (const { moment, reply } of replies) if (reply.kind === "response") return { moment, response: reply.response };
  return undefined;
}

function reading(entry: Sent): ListOperation[] {
  const answer = answered(entry);
  if (answer === undefined) return [];
  const { token, object, invoked } = entry;
  const seen = viewOf(answer.response);
  return [{ name: `${token} list ${object}`, kind: "list", invoked, returned: answer.moment, required: true, seen }];
}

function deletion(entry: Sent): ListOperation[] {
  const { token, invoked } = entry;
  const answer = answered(entry);
  const base = { name: `${token} delete`, kind: "delete", invoked } as const;
  const ghosts = Array.from({ length: GHOSTS }, () => ({
    ...base,
    returned: Number.POSITIVE_INFINITY,
    required: false,
  }));
  return answer === undefined ? ghosts : [{ ...base, returned: answer.moment, required: true }, ...ghosts];
}

function plain(entry: Sent): ListOperation[] {
  const { deed, invoked, replies } = entry;
  const token = deed === "poison" ? `${entry.token}${POISON}` : entry.token;
  const add = { name: `${token} ${deed}`, kind: "add", token, invoked } as const;
  const answer = answered(entry);
  const futile = deed === "refuse" || deed === "poison";
  if (answer !== undefined) {
    // Poison can be taken: an object that is deleted in the same commit is not stored.
    if (deed === "refuse") throw new Violation(`${entry.token} was to be refused and was not`);
    return [{ ...add, returned: answer.moment, required: true, seen: viewOf(answer.response) }];
  }
  const [first] = replies;
  if (futile || (first !== undefined && changedNothing(first.reply))) return [];
  return [{ ...add, returned: Number.POSITIVE_INFINITY, required: false }];
}

/** A plain call may have run if its owner did not answer; any other error says that it changed nothing ([TURN3]). */
function changedNothing(reply: Reply): boolean {
  return reply.kind === "error" && (reply.error.code !== "UNAVAILABLE" || reply.error.retryable);
}

function reliable(entry: Sent, mark: Mark | undefined): ListOperation[] {
  const { token, deed, invoked, replies } = entry;
  const about = `${token} ${deed} of ${entry.object}`;
  for (const { reply } of replies) {
    if (reply.kind === "accepted" && mark === undefined)
      throw new Violation(`[CALL3] ${about} was accepted and is unknown`);
    if (reply.kind === "error" && reply.error.reason === "NO" && mark?.status !== "failed") {
      throw new Violation(`[CALL2] ${about} was refused and is ${mark?.status}`);
    }
    if (reply.kind !== "response") continue;
    if (mark?.status !== "success")
      throw new Violation(`[CALL2] ${about} was answered and is ${mark?.status ?? "unknown"}`);
    if (mark.response !== reply.response) {
      throw new Violation(`[CALL2] ${about} was answered ${reply.response}, its mark says ${mark.response}`);
    }
  }
  if (mark?.status !== "success") return [];
  if (deed === "refuse") throw new Violation(`${token} was to be refused and was not`);
  const returned = answered(entry)?.moment ?? Number.POSITIVE_INFINITY;
  return [
    { name: about, kind: "add", token, invoked, returned, required: true, seen: viewOf(mark.response as string) },
  ];
}

/** What the object added to another on the way. */
function inner(entry: Sent, marks: ReadonlyMap<string, Mark>, sign = ">"): ListOperation[] {
  const { token, deed, invoked, object, reliable } = entry;
  const add = { name: token + sign, kind: "add", token: token + sign, invoked } as const;
  const done = reliable ? marks.get(markKey(object, token))?.status === "success" : answered(entry) !== undefined;
  const moment = answered(entry)?.moment ?? Number.POSITIVE_INFINITY;
  // What is sent arrives some time later.
  const returned = deed === "send" ? Number.POSITIVE_INFINITY : moment;
  // A reliable call that is tried again makes its plain calls again.
  const copies = deed === "ask" && reliable ? 3 : 0;
  const ghosts = Array.from({ length: copies }, () => ({
    ...add,
    returned: Number.POSITIVE_INFINITY,
    required: false,
  }));
  return [{ ...add, returned: done ? returned : Number.POSITIVE_INFINITY, required: done }, ...ghosts];
}

/** What the object adds when it hears the outcome, or is reminded. Whether it has to: see `checkOutbox` and `checkReminders`. */
function later({ token, invoked }: Sent, mark: "<" | "!"): ListOperation {
  const returned = Number.POSITIVE_INFINITY;
  return { name: `${token}${mark}`, kind: "add", token: `${token}${mark}`, invoked, returned, required: false };
}

function viewOf(response: string): readonly string[] {
  return (JSON.parse(response) as LedgerView).tokens;
}

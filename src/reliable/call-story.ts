import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallKey, CallRecord, CallStatus } from "./call-record.ts";
import { type CausedCall, type CausedCalls, causeOf, mergedCalls, nameOfCall, shortCall } from "./caused-calls.ts";
import { LocalLog, type LocalOwner, type LocalParts } from "./local-log.ts";
import { PatientAsker } from "./owners.ts";
import type { CallLog, ReadableLog } from "./ports.ts";

/** A call of a story. One that led to others is `unknown` when neither its object nor the log has it any more. */
export type StoryCall = Omit<CausedCall, "cause" | "status" | "method"> & {
  readonly method: string | null;
  readonly status: CallStatus | "unknown";
};

/** What became of a call, what led to it, and what it led to. */
export interface CallStory {
  readonly call: CallRecord;
  /** When the log heard of it as it is now, ms since the epoch; null when it has not, or is local. */
  readonly loggedAt: number | null;
  /** The call that made it, then the call that made that one, and so on. */
  readonly causedBy: readonly StoryCall[];
  /** The calls that it made, then those that these made, and so on. */
  readonly causes: readonly CausedCall[];
  /** False when there may be more of them. */
  readonly complete: boolean;
  /** Partitions that could not be asked, and `log` for the log in Postgres. */
  readonly unreachable: readonly string[];
}

interface Parts extends LocalParts {
  /** The log in Postgres; undefined: the log is local. */
  readonly log: CallLog | undefined;
}

interface Known {
  readonly call: CallRecord;
  readonly loggedAt: number | null;
}

/** Ms after which a story is told as far as it is known. */
const TIME = 10_000;
/** Ms that the owner of an object has to answer. */
const ANSWER_WITHIN = 5_000;
/** Calls whose consequences are asked for together. */
const TOGETHER = 100;

/** Tells the stories of reliable calls from what their owners and the log know of them anyway ([CALL16]). */
export class CallStories {
  readonly #parts: Parts;
  readonly #log: ReadableLog;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#log = parts.log ?? new LocalLog(parts);
  }

  /** @returns null for a call that nobody knows. @throws EdgeverseError `INVALID_ID`, `UNAVAILABLE`, `OVERLOADED`, `LOG_UNAVAILABLE` */
  async tell(key: CallKey, most: { readonly depth: number; readonly limit: number }): Promise<CallStory | null> {
    await this.#parts.router.refresh();
    const telling = new Telling(this.#parts, this.#log, most);
    const known = await telling.find(key);
    if (known === null) return null;
    const causedBy = await telling.before(known.call);
    const causes = await telling.after(key);
    return { ...known, causedBy, causes, complete: telling.complete, unreachable: [...telling.unreachable].sort() };
  }
}

/** One story, as it is told. */
class Telling {
  complete = true;
  readonly unreachable = new Set<string>();
  readonly #parts: Parts;
  readonly #log: ReadableLog;
  readonly #asker: PatientAsker<LocalOwner>;
  readonly #most: { readonly depth: number; readonly limit: number };
  readonly #until: number;

  constructor(parts: Parts, log: ReadableLog, most: { readonly depth: number; readonly limit: number }) {
    this.#parts = parts;
    this.#log = log;
    this.#asker = new PatientAsker(parts);
    this.#most = most;
    this.#until = parts.clock.now() + TIME;
  }

  /** What is known of a call: its owner knows best how it stands, and the log what was asked and by whom. */
  async find({ type, id, callId }: CallKey): Promise<Known | null> {
    const { router, clock, log } = this.#parts;
    const [owned, logged] = await Promise.all([
      settled(
        router.ask({ type, id }, clock.now() + ANSWER_WITHIN, async (owner) => {
          const [answer = null] = await owner.callRecords([{ type, id, callId }], true);
          return answer;
        }),
      ),
      settled(log === undefined ? Promise.resolve(null) : log.find(type, id, callId)),
    ]);
    // A silent owner hides nothing that has ended: such a row of the log is final.
    if (owned.error !== undefined && logged.value == null) throw owned.error;
    if (logged.error !== undefined && owned.value == null) throw logged.error;
    if (owned.error !== undefined) this.#missing(router.owner({ type, id }));
    if (logged.error !== undefined) this.#missing("log");
    const [own, row] = [owned.value ?? null, logged.value ?? null];
    if (own === null) return row === null ? null : { call: row, loggedAt: row.loggedAt };
    if (row === null) return { call: own, loggedAt: null };
    const { request, caller, traceId, expiresAt, history } = row;
    const same = own.status === row.status && own.attempts === row.attempts;
    return {
      call: {
        ...own,
        request: own.request ?? request,
        caller: own.caller ?? caller,
        traceId: own.traceId ?? traceId,
        expiresAt: own.expiresAt ?? expiresAt,
        history: own.history ?? history,
      },
      loggedAt: same ? row.loggedAt : null,
    };
  }

  /** The calls that led to this one, the nearest first. */
  async before(call: CallRecord): Promise<StoryCall[]> {
    const found: StoryCall[] = [];
    for (let cause = causeOf(call.caller); cause !== undefined; ) {
      if (found.length === this.#most.depth || this.#late()) {
        this.complete = false;
        break;
      }
      const owner = this.#ownerOf(cause);
      const known = owner === undefined ? {} : await settled(this.find(cause));
      if (known.error !== undefined) this.#missing(known.error.code === "LOG_UNAVAILABLE" ? "log" : (owner as string));
      found.push(known.value == null ? unknownCall(cause) : shortCall(known.value.call));
      cause = causeOf(known.value?.call.caller ?? null);
    }
    return found;
  }

  /** The calls that this one led to, the nearest first. */
  async after(key: CallKey): Promise<CausedCall[]> {
    const { depth, limit } = this.#most;
    const found = new Map<string, CausedCall>();
    let level: readonly CallKey[] = [key];
    for (let step = 0; level.length > 0; step++) {
      if (step === depth || found.size >= limit || this.#late()) {
        this.complete = false;
        break;
      }
      const next: CausedCall[] = [];
      for (let first = 0; first < level.length && found.size < limit; first += TOGETHER) {
        const { calls, complete } = await this.#causedBy(level.slice(first, first + TOGETHER), limit - found.size);
        if (!complete || (first + TOGETHER < level.length && found.size + calls.length >= limit)) this.complete = false;
        for (const call of calls) {
          if (found.has(nameOfCall(call))) continue;
          found.set(nameOfCall(call), call);
          // What is not accepted has led to nothing.
          if (call.acceptedAt !== null) next.push(call);
        }
      }
      level = next;
    }
    return [...found.values()];
  }

  /** What the log knows; and what owners have not delivered, or not told the log. */
  async #causedBy(causes: readonly CallKey[], limit: number): Promise<CausedCalls> {
    const logged = this.#log.causedBy(causes, limit);
    const [fromLog, fromOwners] = await Promise.all([
      settled(logged),
      this.#parts.log === undefined ? [] : this.#fromOwners(causes, limit),
    ]);
    if (fromLog.error !== undefined) this.#missing("log");
    const answers = [fromLog.value ?? { calls: [], complete: false }, ...fromOwners];
    for (const partition of answers.flatMap(({ unreachable = [] }) => unreachable)) this.#missing(partition);
    const lists = answers.map(({ calls }) => calls);
    const merged = mergedCalls(lists, limit);
    return { calls: merged.calls, complete: merged.complete && answers.every(({ complete }) => complete) };
  }

  async #fromOwners(causes: readonly CallKey[], limit: number): Promise<CausedCalls[]> {
    const owners = Map.groupBy(causes, (cause) => this.#ownerOf(cause));
    const ask = async ([partition, theirs]: [string | undefined, CallKey[]]): Promise<CausedCalls> => {
      const none = { calls: [], complete: true };
      if (partition === undefined) return none;
      const keys = theirs.map(({ type, id, callId }) => ({ type, id, callId }));
      const answer = await this.#asker.ask(partition, (owner) => owner.causedBy(keys, limit));
      return answer ?? { ...none, unreachable: [partition] };
    };
    return Promise.all([...owners].map(ask));
  }

  /** The partition of an object; undefined where there can be none, as other programs may have put into the log. */
  #ownerOf(object: CallKey): string | undefined {
    try {
      return this.#parts.router.owner(object);
    } catch {
      return undefined;
    }
  }

  #missing(what: string): void {
    this.unreachable.add(what);
    this.complete = false;
  }

  #late(): boolean {
    return this.#parts.clock.now() >= this.#until;
  }
}

/** What came of a question; errors that no later question can mend are thrown. */
async function settled<T>(question: Promise<T>): Promise<{ readonly value?: T; readonly error?: EdgeverseError }> {
  try {
    return { value: await question };
  } catch (error) {
    const known = EdgeverseError.from(error);
    if (known.code !== "UNAVAILABLE" && known.code !== "OVERLOADED" && known.code !== "LOG_UNAVAILABLE") throw error;
    return { error: known };
  }
}

function unknownCall({ type, id, callId }: CallKey): StoryCall {
  const nothing = { method: null, attempts: 0, acceptedAt: null, finishedAt: null, error: null };
  return { type, id, callId, status: "unknown", ...nothing };
}

import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallKey, OwnerAnswer } from "./call-record.ts";
import { type CausedCall, type CausedCalls, mergedCalls } from "./caused-calls.ts";
import { Newest, type NewestCalls, type NewestQuery, type OwnerStats, type PlacedCall } from "./newest-calls.ts";
import { type Owners, PatientAsker, type UpkeepParts } from "./owners.ts";
import {
  byTypeAndStatus,
  type CallCount,
  type CallFilter,
  type CallPage,
  type CallStats,
  fitting,
  type LoggedCall,
  type ReadableLog,
} from "./ports.ts";

/** A partition, as the local log needs it. */
export interface LocalOwner {
  /** @param whole with requests, too */
  callRecords(keys: readonly CallKey[], whole: boolean): Promise<OwnerAnswer[]>;
  newestCalls(query: NewestQuery): Promise<NewestCalls | { readonly movedTo: string }>;
  callStats(): Promise<OwnerStats>;
  causedBy(causes: readonly CallKey[], limit: number): Promise<CausedCalls>;
}

export interface LocalParts {
  readonly router: Owners & {
    /** Whether an id says where its objects are, with its type or alone. */
    locates(type: string | undefined): boolean;
    /** Asks the owner of an object. @throws EdgeverseError */
    ask<Answer>(
      object: { readonly type: string; readonly id: string },
      deadline: number,
      question: (owner: LocalOwner) => Promise<Answer | { readonly movedTo: string }>,
    ): Promise<Answer>;
  };
  readonly connect: (partition: string) => LocalOwner;
  readonly clock: UpkeepParts["clock"];
}

type Found = NewestCalls["calls"][number] & { readonly partition: string };

/** Ms that the owner of an object has to answer. */
const ANSWER_WITHIN = 5_000;

/**
 * The log of a cluster that has no Postgres ([CALL14]): what the partitions know of their calls anyway, put together. Nothing is
 * written for it. So only reading needs to be done; what a {@link CallLog} does beside that, the owners' own commits do.
 */
export class LocalLog implements ReadableLog {
  readonly #parts: LocalParts;

  constructor(parts: LocalParts) {
    this.#parts = parts;
  }

  async list({ before, ...filter }: CallFilter): Promise<CallPage> {
    if (!Number.isInteger(filter.limit) || filter.limit < 1 || filter.limit > 1_000) {
      throw new EdgeverseError("INVALID_ARGUMENT", `Cannot take ${filter.limit} rows: a page has 1 to 1000`);
    }
    const query = { ...filter, before: before === undefined ? undefined : readPlace(before) };
    const asker = new PatientAsker<LocalOwner>(this.#parts);
    const newest = await this.#newest(query, asker);
    const page = fitting(newest, ({ bytes }) => bytes);
    const answers = await this.#records(page, asker);
    const calls: LoggedCall[] = [];
    page.forEach((call, index) => {
      const record = answers[index];
      // It may be gone, or have another status by now.
      if (record === undefined || record === null || "movedTo" in record) return;
      if (filter.status === undefined || record.status === filter.status) calls.push({ ...record, seq: `${call.seq}` });
    });
    const last = page.at(-1);
    const more = newest.length === filter.limit || page.length < newest.length;
    return {
      calls,
      ...(last === undefined || !more ? {} : { next: writePlace(last) }),
      ...(asker.silent.size === 0 ? {} : { unreachable: [...asker.silent].sort() }),
    };
  }

  async stats(): Promise<CallStats> {
    const { router } = this.#parts;
    await router.refresh();
    const asker = new PatientAsker<LocalOwner>(this.#parts);
    const missing = new Set<string>();
    const sums = new Map<string, CallCount>();
    const ask = async (partition: string) => {
      const answer = await asker.ask(partition, (owner) => owner.callStats());
      if (answer?.complete !== true) missing.add(partition);
      for (const one of answer?.counts ?? []) {
        const name = `${one.type} ${one.status}`;
        const sum = sums.get(name);
        sums.set(name, sum === undefined ? one : added(sum, one));
      }
    };
    await Promise.all(router.map.partitions.map(ask));
    const counts = [...sums.values()].sort(byTypeAndStatus);
    return missing.size === 0 ? { counts } : { counts, unreachable: [...missing].sort() };
  }

  /** Asks every partition: a call says what made it, and nothing says where the calls are that it made. */
  async causedBy(causes: readonly CallKey[], limit: number): Promise<CausedCalls> {
    const { router } = this.#parts;
    await router.refresh();
    const asker = new PatientAsker<LocalOwner>(this.#parts);
    const lists: (readonly CausedCall[])[] = [];
    let complete = true;
    const ask = async (partition: string) => {
      const answer = await asker.ask(partition, (owner) => owner.causedBy(causes, limit));
      if (answer?.complete === false) complete = false;
      lists.push(answer?.calls ?? []);
    };
    await Promise.all(router.map.partitions.map(ask));
    const { calls, complete: all } = mergedCalls(lists, limit);
    const unreachable = [...asker.silent].sort();
    return { calls, complete: complete && all, ...(unreachable.length === 0 ? {} : { unreachable }) };
  }

  async #newest(query: NewestQuery, asker: PatientAsker<LocalOwner>): Promise<Found[]> {
    const { router, clock } = this.#parts;
    const newest = new Newest<Found>(query);
    const take = (partition: string, { calls, complete }: NewestCalls) => {
      if (!complete) throw tooMany(partition);
      for (const call of calls) newest.add({ ...call, partition });
    };
    const { type, id } = query;
    if (id !== undefined && router.locates(type)) {
      const object = { type: type ?? "", id };
      take(
        router.owner(object),
        await router.ask(object, clock.now() + ANSWER_WITHIN, (owner) => owner.newestCalls(query)),
      );
      return newest.calls;
    }
    await router.refresh();
    await Promise.all(
      router.map.partitions.map(async (partition) => {
        const answer = await asker.ask(partition, (owner) => owner.newestCalls(query));
        if (answer !== undefined && !("movedTo" in answer)) take(partition, answer);
      }),
    );
    return newest.calls;
  }

  /** The calls themselves, each from where it was found; from where it is by now, if it has moved since. */
  async #records(page: readonly Found[], asker: PatientAsker<LocalOwner>): Promise<(OwnerAnswer | undefined)[]> {
    const answers: (OwnerAnswer | undefined)[] = page.map(() => undefined);
    const ask = async (places: readonly number[], ownerOf: (place: number) => string) => {
      const owners = Map.groupBy(places, ownerOf);
      await Promise.all(
        [...owners].map(async ([partition, theirs]) => {
          const keys = theirs.map((place) => keyOf(page[place] as Found));
          const found = await asker.ask(partition, (owner) => owner.callRecords(keys, true));
          theirs.forEach((place, index) => {
            answers[place] = found?.[index];
          });
        }),
      );
    };
    await ask([...page.keys()], (place) => (page[place] as Found).partition);
    const moved = [...page.keys()].filter((place) => isMoved(answers[place]));
    await ask(moved, (place) => (answers[place] as { readonly movedTo: string }).movedTo);
    return answers;
  }
}

/** Refuses what only a log in Postgres can do. */
export function isLocal(why: string): EdgeverseError {
  const message = `The log of this cluster is local, and ${why}: give it a DATABASE_URL`;
  return new EdgeverseError("LOG_UNAVAILABLE", message, { retryable: false });
}

function keyOf({ type, id, callId }: CallKey): CallKey {
  return { type, id, callId };
}

function isMoved(answer: OwnerAnswer | undefined): boolean {
  return answer !== undefined && answer !== null && "movedTo" in answer;
}

function added(left: CallCount, right: CallCount): CallCount {
  return {
    ...left,
    count: left.count + right.count,
    oldest: Math.min(left.oldest ?? Number.POSITIVE_INFINITY, right.oldest ?? Number.POSITIVE_INFINITY),
    bytes: left.bytes + right.bytes,
  };
}

function tooMany(partition: string): EdgeverseError {
  const message = `Partition ${partition} has too many calls to put them in order: ask for an id or another status, or keep a log in Postgres`;
  return new EdgeverseError("LOG_UNAVAILABLE", message, { retryable: false });
}

function writePlace({ seq, type, id, callId }: PlacedCall): string {
  return JSON.stringify([seq, type, id, callId]);
}

/** @throws EdgeverseError `INVALID_ARGUMENT` */
function readPlace(text: string): PlacedCall {
  try {
    const [seq, type, id, callId] = JSON.parse(text) as unknown[];
    const texts = [type, id, callId].every((part) => typeof part === "string");
    if (Number.isSafeInteger(seq) && texts) return { seq, type, id, callId } as PlacedCall;
  } catch {
    // Said below.
  }
  throw new EdgeverseError("INVALID_ARGUMENT", "Cannot read the page token: it is not one this log gave out");
}

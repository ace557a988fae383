import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { DROPPED } from "../object/left-call.ts";
import {
  BATCH_CHARACTERS,
  type CallMessage,
  type FinalReply,
  type Later,
  type Moved,
  objectKey,
  type Reply,
} from "../object/message.ts";
import { inParallel } from "../platform/in-parallel.ts";
import type { Clock } from "../platform/ports.ts";
import type { SettingsFollower } from "../settings/settings-follower.ts";
import { type Directory, MAX_REDIRECTS, notCalled } from "./directory.ts";
import { Pauses } from "./pauses.ts";
import type { PartitionClient, Told } from "./ports.ts";
import { remoteFault } from "./remote-fault.ts";

/** What one message may answer with at least: any response, so that every message gets something done ([TURN9]). */
const LEAST_ROOM = 1_800_000;
/** Messages under way at the same time: together they never have less than `LEAST_ROOM` each, and so many connections. */
const AT_ONCE = 6;
/** Messages of one batch: a request on Cloudflare may make 1,000 subrequests at least, some are for the map. */
const MOST_MESSAGES = 900;

/** Hears of a reply, by the number of its message. */
export type Answered = (index: number, reply: FinalReply) => void;

export interface BatchParts {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly settings?: SettingsFollower | undefined;
  readonly repeatable: (message: CallMessage) => boolean;
  /** Asks a partition; rejects when there is no answer soon after `deadline`. */
  readonly ask: <T>(
    partition: string,
    deadline: number,
    question: (client: PartitionClient) => Promise<T>,
  ) => Promise<T>;
}

/**
 * Many calls with few messages ([HTTP7], [HTTP14]): in rounds, each of one message or more to every partition that has some
 * of them. What a round leaves open, because its object has moved or its message was lost and may be sent again, is for the
 * next round.
 */
export class Batch {
  readonly #parts: BatchParts;
  readonly #messages: readonly CallMessage[];
  readonly #answered: Answered | undefined;
  readonly #isLeft: ((index: number) => boolean) | undefined;
  readonly #replies: (FinalReply | undefined)[] = [];
  /** Why a call is still open. */
  readonly #troubles = new Map<number, EdgeverseError>();
  /** How often the message of a call was lost. */
  readonly #faults = new Map<number, number>();
  /** The partition that was said to have the object. */
  readonly #hints = new Map<number, string>();
  #room = BATCH_CHARACTERS;
  #sent = 0;
  /** Replies of this round that were not there when the others were. */
  readonly #late: Promise<void>[] = [];
  /** Calls that this round has not sent yet. */
  #ahead = 0;

  /**
   * @param answered hears of each reply as soon as it is there
   * @param isLeft whether nobody waits for a call any more: it is not sent then
   */
  constructor(
    parts: BatchParts,
    messages: readonly CallMessage[],
    answered?: Answered,
    isLeft?: (index: number) => boolean,
  ) {
    this.#parts = parts;
    this.#messages = messages;
    this.#answered = answered;
    this.#isLeft = isLeft;
  }

  /** Replies in the order of the messages. Never rejects. */
  async run(): Promise<FinalReply[]> {
    const pauses = new Pauses(this.#parts.clock);
    let open: number[] = [...this.#messages.keys()];
    for (let round = 1; ; round++) {
      await this.#round(open, round);
      open = open.filter((index) => this.#replies[index] === undefined);
      const atOnce = round <= MAX_REDIRECTS && open.every((index) => this.#hints.has(index));
      if (!atOnce) {
        open = open.filter((index) => this.#inTime(index, pauses.end));
        if (open.length > 0) await pauses.wait();
      }
      if (open.length === 0) return this.#replies as FinalReply[];
    }
  }

  /** Whether a call may wait until `time`; it is answered with its trouble otherwise. */
  #inTime(index: number, time: number): boolean {
    if (time < this.#message(index).deadline) return true;
    this.#fail(index, this.#troubles.get(index) as EdgeverseError);
    return false;
  }

  async #round(open: readonly number[], round: number): Promise<void> {
    const groups = [...(await this.#byOwner(open))];
    this.#ahead = groups.reduce((sum, [, indexes]) => sum + indexes.length, 0);
    await inParallel(groups, AT_ONCE, ([owner, indexes], place) =>
      this.#sendAll(owner, indexes, round, groups.length - place - 1),
    );
    await Promise.all(this.#late.splice(0));
  }

  async #byOwner(open: readonly number[]): Promise<Map<string, number[]>> {
    const { directory } = this.#parts;
    const groups = new Map<string, number[]>();
    let refreshed = false;
    for (const index of open) {
      const message = this.#message(index);
      try {
        const owner: string | Promise<string> =
          this.#hints.get(index) ?? (refreshed ? directory.owner(message) : directory.ownerOrRefresh(message));
        refreshed ||= typeof owner !== "string";
        const name = typeof owner === "string" ? owner : await owner;
        const group = groups.get(name);
        if (group === undefined) groups.set(name, [index]);
        else group.push(index);
      } catch (error) {
        this.#fail(index, EdgeverseError.from(error));
      }
    }
    this.#hints.clear();
    return groups;
  }

  /** Sends one partition its calls, in messages one after the other, so that no call of an object overtakes another. */
  async #sendAll(owner: string, indexes: readonly number[], round: number, groupsAhead: number): Promise<void> {
    const left = new Set<string>();
    let calls = indexes.length;
    for (const part of this.#split(indexes)) {
      const wanted = this.#wanted(part);
      const next = left.size === 0 ? wanted : wanted.filter((index) => !left.has(this.#key(index)));
      const sending =
        next.length === 0 ? undefined : this.#send(owner, next, this.#takeRoom(calls, groupsAhead), round);
      this.#ahead -= part.length;
      calls -= part.length;
      await sending;
      if (part.length === indexes.length) return;
      for (const index of part) {
        if (this.#replies[index] !== undefined) continue;
        left.add(this.#key(index));
        if (!this.#troubles.has(index)) this.#leave(index, notCalled());
      }
    }
  }

  /** Those that somebody waits for. */
  #wanted(indexes: readonly number[]): readonly number[] {
    const isLeft = this.#isLeft;
    if (isLeft === undefined || !indexes.some(isLeft)) return indexes;
    return indexes.filter((index) => {
      const left = isLeft(index);
      if (left) this.#fail(index, DROPPED);
      return !left;
    });
  }

  *#split(indexes: readonly number[]): Generator<readonly number[]> {
    let part: number[] = [];
    let characters = 0;
    for (const index of indexes) {
      const size = this.#message(index).request?.length ?? 0;
      if (characters + size > BATCH_CHARACTERS) {
        yield part;
        part = [];
        characters = 0;
      }
      characters += size;
      part.push(index);
    }
    yield part;
  }

  async #send(owner: string, indexes: readonly number[], room: number, round: number): Promise<void> {
    if (room === 0) return this.#refuse(indexes, "the responses of the batch fill its answer");
    if (++this.#sent > MOST_MESSAGES)
      return this.#refuse(indexes, `the batch has sent ${MOST_MESSAGES} messages to partitions`);
    let used = 0;
    try {
      const messages = indexes.map((index) => this.#message(index));
      const deadline = messages.reduce((latest, message) => Math.max(latest, message.deadline), 0);
      const { settings } = this.#parts;
      const soon = this.#answered !== undefined;
      const replies: readonly Told<Reply | Later>[] = await this.#parts.ask(owner, deadline, (client) =>
        soon ? client.batchSoon(messages, room, settings?.seen) : client.batch(messages, room, settings?.seen),
      );
      settings?.answered(replies[0]?.settings);
      const moved = new Map<number, Moved>();
      for (const [place, reply] of replies.entries()) {
        const index = indexes[place] as number;
        if (reply.kind === "response") used += reply.response.length;
        if (reply.kind === "moved") moved.set(index, reply);
        else if (reply.kind === "later") this.#late.push(this.#fetch(owner, index, reply.ticket, round));
        else this.#answer(index, reply);
      }
      await this.#follow(moved, owner, round);
    } catch (cause) {
      this.#lost(indexes, owner, cause);
    } finally {
      this.#room += room - used;
    }
  }

  /** Waits for a reply that was not there when the others were. */
  async #fetch(owner: string, index: number, ticket: string, round: number): Promise<void> {
    try {
      const { deadline } = this.#message(index);
      const reply = await this.#parts.ask(owner, deadline, (client) => client.fetchReply(ticket));
      if (reply.kind === "moved") await this.#follow(new Map([[index, reply]]), owner, round);
      else this.#answer(index, reply);
    } catch (cause) {
      this.#lost([index], owner, cause);
    }
  }

  /** The answer for these calls was lost. */
  #lost(indexes: readonly number[], owner: string, cause: unknown): void {
    const { error, again, outcome } = remoteFault(cause, owner);
    for (const index of indexes) {
      if (this.#replies[index] !== undefined) continue;
      const safe = outcome === "nothing ran" || this.#parts.repeatable(this.#message(index));
      const faults = (this.#faults.get(index) ?? 0) + 1;
      this.#faults.set(index, faults);
      if (safe && faults <= again) this.#leave(index, error);
      else this.#fail(index, error, safe);
    }
  }

  /**
   * Room for the responses of a message, or 0 when there is too little: the share of its partition's `calls` in those that
   * are not sent yet, but what the next partitions need at least is left to them.
   */
  #takeRoom(calls: number, groupsAhead: number): number {
    if (this.#room < LEAST_ROOM) return 0;
    const others = Math.min(AT_ONCE - 1, groupsAhead) * LEAST_ROOM;
    const spare = Math.max(0, this.#room - LEAST_ROOM - others);
    const room = LEAST_ROOM + Math.floor((spare * calls) / this.#ahead);
    this.#room -= room;
    return room;
  }

  /** Learns where objects went, once a shard. */
  async #follow(moved: ReadonlyMap<number, Moved>, from: string, round: number): Promise<void> {
    const hints = new Map<string, string | undefined>();
    for (const [index, reply] of moved) {
      const place = `${reply.shard} ${reply.partition}`;
      if (!hints.has(place)) hints.set(place, await this.#parts.directory.redirect(reply, from, round));
      this.#leave(index, notCalled(), hints.get(place));
    }
  }

  #leave(index: number, trouble: EdgeverseError, hint?: string): void {
    this.#troubles.set(index, trouble);
    if (hint !== undefined) this.#hints.set(index, hint);
  }

  #refuse(indexes: readonly number[], why: string): void {
    const error = new EdgeverseError("OVERLOADED", `Not run: ${why}; send the call in another batch`);
    for (const index of indexes) this.#fail(index, error);
  }

  #fail(index: number, error: EdgeverseError, retryable = error.retryable): void {
    this.#answer(index, { kind: "error", error: { ...error.toWire(), retryable: retryable && error.retryable } });
  }

  #answer(index: number, reply: FinalReply): void {
    this.#replies[index] = reply;
    this.#answered?.(index, reply);
  }

  #message(index: number): CallMessage {
    return this.#messages[index] as CallMessage;
  }

  #key(index: number): string {
    const { type, id } = this.#message(index);
    return objectKey(type, id);
  }
}

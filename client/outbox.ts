import { backoff } from "./backoff.ts";
import { newCallId } from "./call-id.ts";
import type { Client } from "./client.ts";
import { ClientError } from "./client-error.ts";
import { onOnline } from "./online.ts";
import { indexedDbStorage, type OutboxStorage, type StoredCall } from "./storage.ts";
import { Timers } from "./timers.ts";
import { guard } from "./topics.ts";
import type { ClassByType, OutboxObject, TypeName } from "./types.ts";

/** What became of a call: the method's response, or why there is none. */
export type Outcome = StoredCall &
  ({ readonly ok: true; readonly response: unknown } | { readonly ok: false; readonly error: ClientError });

export interface OutboxOptions {
  /** Names what is stored. Give each user another: whoever opens an outbox sends what is in it as themselves. */
  readonly name: string;
  /** Where calls are kept. Default: IndexedDB. */
  readonly storage?: OutboxStorage;
  /** Hears what became of a call, also of one of an earlier visit. It may hear it twice, if the page ends meanwhile. */
  readonly onOutcome?: (outcome: Outcome) => void;
  /** Ms after which a call is given up. Default: 7 days. */
  readonly expiresIn?: number;
  /** How many calls it holds. Default: 1,000. */
  readonly most?: number;
}

/** Calls that are stored first, and sent when the host can be reached: each runs exactly once, and those of one object in order. */
export interface Outbox<App = unknown> {
  /** An object. Its methods answer with the call's id once the call is stored. @throws ClientError `OVERLOADED` when it is full */
  object<Type extends TypeName<App>>(type: Type, id: string): OutboxObject<ClassByType<App, Type>>;
  /** What has no outcome yet. */
  pending(): Promise<readonly StoredCall[]>;
  /** Sends no more, until another outbox of this name is made. */
  close(): void;
}

/** Objects whose calls are sent at the same time. */
const BESIDE = 8;
/** The longest pause after a failure, in ms. */
const LONGEST_PAUSE = 60_000;
const DAY = 86_400_000;

/**
 * @throws ClientError `INVALID_ARGUMENT` when there is no storage
 * @example
 * const outbox = createOutbox(client, { name: user.id, onOutcome: ({ ok }) => ok || warn() });
 * await outbox.object("Cart", "ann").put({ item: "soup" }); // also without a network
 */
export function createOutbox<App>(client: Client<App>, options: OutboxOptions): Outbox<App> {
  return new CallOutbox(client as Client, options) as unknown as Outbox<App>;
}

class CallOutbox {
  readonly #client: Client;
  readonly #options: OutboxOptions;
  readonly #storage: OutboxStorage;
  readonly #timers = new Timers<"again">();
  readonly #stopHearing: () => void;
  #adding: Promise<unknown> = Promise.resolve();
  #running = false;
  #again = false;
  #failures = 0;
  readonly #end = new AbortController();

  constructor(client: Client, options: OutboxOptions) {
    this.#client = client;
    this.#options = options;
    const storage = options.storage ?? indexedDbStorage(options.name);
    if (storage === undefined)
      throw new ClientError("INVALID_ARGUMENT", "There is no IndexedDB here: give the outbox a storage");
    this.#storage = storage;
    this.#stopHearing = onOnline(() => this.#hurry());
    void this.#run();
  }

  object(type: string, id: string): object {
    return new Proxy(Object.create(null), {
      get: (_, method) => {
        if (typeof method === "symbol" || method === "then" || method === "toJSON") return undefined;
        return (request: unknown) => this.#add(type, id, method, request);
      },
    });
  }

  pending(): Promise<readonly StoredCall[]> {
    return this.#storage.list();
  }

  close(): void {
    this.#end.abort();
    this.#timers.stopAll();
    this.#stopHearing();
  }

  get #closed(): boolean {
    return this.#end.signal.aborted;
  }

  #add(type: string, id: string, method: string, request: unknown): Promise<string> {
    const { expiresIn = 7 * DAY, most = 1_000 } = this.#options;
    const call = { callId: newCallId(), type, id, method, request, expiresAt: Date.now() + expiresIn };
    // One after the other: they are stored in the order in which they were made.
    const added = this.#adding.then(async () => {
      if ((await this.#storage.list()).length >= most)
        throw new ClientError("OVERLOADED", `The outbox has its ${most} calls`, { retryable: true });
      await this.#storage.add(call);
      this.#hurry();
      return call.callId;
    });
    this.#adding = added.catch(() => undefined);
    return added;
  }

  #hurry(): void {
    this.#failures = 0;
    void this.#run();
  }

  async #run(): Promise<void> {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    this.#timers.stop("again");
    let done = true;
    while (this.#again && done && !this.#closed) {
      this.#again = false;
      done = await locked(`edgeverse:${this.#options.name}`, () => this.#drain()).catch(() => false);
    }
    this.#running = false;
    if (!done && !this.#closed)
      this.#timers.set("again", backoff(3 + this.#failures++, LONGEST_PAUSE), () => void this.#run());
  }

  /** Sends what is there. @returns false when something must wait */
  async #drain(): Promise<boolean> {
    const stuck = new Set<string>();
    for (;;) {
      const calls = await this.#storage.list();
      const heads = new Map<string, StoredCall>();
      for (const call of calls) {
        const object = `${call.type}/${call.id}`;
        if (!heads.has(object)) heads.set(object, call);
      }
      const next = [...heads].filter(([object]) => !stuck.has(object)).slice(0, BESIDE);
      if (next.length === 0 || this.#closed) return stuck.size === 0;
      await Promise.all(
        next.map(async ([object, call]) => {
          if (!(await this.#send(call))) stuck.add(object);
        }),
      );
    }
  }

  /** @returns false when it must be tried again */
  async #send(call: StoredCall): Promise<boolean> {
    const { type, id, method, request, callId, expiresAt } = call;
    const expiresIn = expiresAt - Date.now();
    let outcome: Outcome;
    try {
      if (expiresIn <= 0)
        throw new ClientError("DEADLINE_EXCEEDED", "The call was not sent in time", { reason: "EXPIRED", callId });
      const send = this.#client.object(type, id)[method];
      // One attempt: while this object waits, others may go on.
      const response = await send?.(request, { callId, expiresIn, repeat: false, signal: this.#end.signal });
      outcome = { ...call, ok: true, response };
    } catch (error) {
      // Whoever has signed out may sign in again.
      const isFinal = error instanceof ClientError && !error.retryable && error.code !== "UNAUTHENTICATED";
      if (!isFinal) return false;
      outcome = { ...call, ok: false, error };
    }
    if (this.#closed) return false;
    guard(() => this.#options.onOutcome?.(outcome));
    await this.#storage.remove(callId);
    return true;
  }
}

/** Runs `work` in one page of the origin at a time, where pages can agree on that. Where not, call ids keep it right. */
async function locked<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  type Locks = { request(name: string, work: () => Promise<Value>): Promise<Value> };
  const { locks } = (globalThis as { navigator?: { locks?: Locks } }).navigator ?? {};
  return locks === undefined ? work() : locks.request(name, work);
}

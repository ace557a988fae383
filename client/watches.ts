import { backoff } from "./backoff.ts";
import { type ClientError, fromWire } from "./client-error.ts";
import type { GateFrame } from "./frames.ts";
import type { Link, LinkUser } from "./link.ts";
import { applyPatch } from "./patch.ts";
import type { Numbers } from "./socket-calls.ts";
import { guard } from "./topics.ts";

/** Hears of a state: at once, and whenever it has changed. Undefined: the object is not there any more. */
export type OnState = (state: unknown, version: number) => void;

export interface WatchOptions {
  /** The object can't be watched. Nothing more comes. */
  readonly onError?: (error: ClientError) => void;
}

interface Watcher extends WatchOptions {
  readonly onState: OnState;
}

/** An object that is watched: what is known of it, and by whom it is. */
interface Watch {
  readonly type: string;
  readonly object: string;
  readonly watchers: Set<Watcher>;
  /** Its number on this connection; undefined while it has none. */
  number: number | undefined;
  version: number | undefined;
  state: unknown;
  failures: number;
}

/** States of objects, and their changes as they come ([CLIENT8]). Those who watch the same object share one watch. */
export class Watches implements LinkUser {
  readonly #link: Link;
  readonly #numbers: Numbers;
  readonly #watches = new Map<string, Watch>();

  constructor(link: Link, numbers: Numbers) {
    this.#link = link;
    this.#numbers = numbers;
    link.use(this);
  }

  watch(type: string, object: string, onState: OnState, options: WatchOptions): () => void {
    const key = `${type}/${object}`;
    const watcher: Watcher = { onState, ...options };
    let watch = this.#watches.get(key);
    if (watch === undefined) {
      const nothing = { number: undefined, version: undefined, state: undefined, failures: 0 };
      watch = { type, object, watchers: new Set(), ...nothing };
      this.#watches.set(key, watch);
      this.#ask(watch);
    }
    const { watchers, state, version } = watch;
    watchers.add(watcher);
    // As the first state: not before this function has returned.
    if (version !== undefined) queueMicrotask(() => watchers.has(watcher) && guard(() => onState(state, version)));
    this.#link.open();
    return () => {
      if (!watchers.delete(watcher) || watchers.size > 0) return;
      if (this.#watches.get(key) === watch) this.#watches.delete(key);
      if (watch.number !== undefined) this.#link.send({ kind: "cancel", id: watch.number });
    };
  }

  opened(): void {
    for (const watch of this.#watches.values()) this.#ask(watch);
  }

  lost(): void {
    for (const watch of this.#watches.values()) watch.number = undefined;
  }

  refused(error: ClientError | undefined): void {
    for (const watch of [...this.#watches.values()]) this.#end(watch, error);
  }

  frame(frame: GateFrame): void {
    if (!("id" in frame)) return;
    const watch = [...this.#watches.values()].find(({ number }) => number === frame.id);
    if (watch === undefined) return;
    if (frame.kind === "state") this.#set(watch, frame.state, frame.version);
    else if (frame.kind === "gone") {
      const version = watch.version ?? 0;
      this.#set(watch, undefined, version);
      watch.version = undefined;
    } else if (frame.kind === "patch") {
      try {
        if (frame.from !== watch.version) throw new Error("not what the patch is for");
        this.#set(watch, applyPatch(watch.state, frame.patch), frame.version);
      } catch {
        this.#anew(watch, frame.id);
      }
    } else if (frame.kind === "result" && frame.error !== undefined) this.#failed(watch, fromWire(frame.error));
  }

  #set(watch: Watch, state: unknown, version: number): void {
    [watch.state, watch.version, watch.failures] = [state, version, 0];
    for (const { onState } of [...watch.watchers]) guard(() => onState(state, version));
  }

  #ask(watch: Watch): void {
    if (this.#link.status !== "open") return;
    const { type, object, version } = watch;
    watch.number = this.#numbers.next();
    this.#link.send({ kind: "watch", id: watch.number, type, object, version });
  }

  /** What is held is of no use: asks for the whole state. */
  #anew(watch: Watch, number: number): void {
    this.#link.send({ kind: "cancel", id: number });
    watch.version = undefined;
    this.#ask(watch);
  }

  #failed(watch: Watch, error: ClientError): void {
    watch.number = undefined;
    if (!error.retryable) {
      this.#end(watch, error);
      return;
    }
    setTimeout(
      () => {
        const isWanted = this.#watches.get(`${watch.type}/${watch.object}`) === watch;
        if (isWanted && watch.number === undefined) this.#ask(watch);
      },
      backoff(watch.failures++, 15_000, error.retryAfter),
    );
  }

  #end(watch: Watch, error: ClientError | undefined): void {
    this.#watches.delete(`${watch.type}/${watch.object}`);
    if (error !== undefined) for (const { onError } of [...watch.watchers]) guard(() => onError?.(error));
    watch.watchers.clear();
  }
}

import { abortable } from "./backoff.ts";
import type { Call } from "./call.ts";
import { ClientError, fromWire, lost, type WireError } from "./client-error.ts";
import type { Http } from "./http.ts";

/** Bounds of a batch: those of the host, and a good part of the body that it takes, in characters. */
const MOST = { calls: 1_000, size: 1_000_000 } as const;

interface Item {
  readonly call: Call;
  readonly size: number;
  readonly signal: AbortSignal;
  readonly resolve: (response: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Result = { readonly response: unknown } | { readonly error: WireError };

/** Sends calls that are made in one tick in one request. */
export class Batches {
  readonly #http: Http;
  #items: Item[] = [];

  constructor(http: Http) {
    this.#http = http;
  }

  call(call: Call, signal: AbortSignal): Promise<unknown> {
    return abortable(signal, (resolve, reject) => {
      const size = JSON.stringify(call.request ?? null).length + call.id.length + 300;
      const item: Item = { call, size, signal, resolve, reject };
      if (this.#items.push(item) === 1) queueMicrotask(() => this.#flush());
      return () => {
        this.#items = this.#items.filter((other) => other !== item);
      };
    });
  }

  #flush(): void {
    const items = this.#items;
    this.#items = [];
    // One deadline holds for a whole batch. Calls of one object stay in their order where they have the same.
    for (const same of Map.groupBy(items, ({ call }) => call.timeout).values()) {
      let part: Item[] = [];
      let size = 0;
      for (const item of same) {
        if (part.length === MOST.calls || (part.length > 0 && size + item.size > MOST.size)) {
          this.#send(part);
          [part, size] = [[], 0];
        }
        part.push(item);
        size += item.size;
      }
      if (part.length > 0) this.#send(part);
    }
  }

  async #send(items: readonly Item[]): Promise<void> {
    const [first] = items as [Item, ...Item[]];
    try {
      if (items.length === 1) return first.resolve(await this.#http.call(first.call, first.signal));
      const { timeout } = first.call;
      const calls = items.map(({ call: { type, id, method, request, callId, expiresIn } }) => ({
        type,
        id,
        method,
        request,
        callId,
        expiresIn,
      }));
      const headers = timeout === undefined ? {} : { "edgeverse-timeout": String(timeout) };
      const message = { path: "batch", body: { calls }, headers, repeat: true };
      const { body } = await this.#http.send(message, allOf(items.map(({ signal }) => signal)));
      for (const [index, result] of (body as { results: readonly Result[] }).results.entries()) {
        const item = items[index] as Item;
        if ("error" in result) item.reject(fromWire({ ...result.error, callId: item.call.callId }));
        else item.resolve(result.response);
      }
    } catch (error) {
      // An answer that is lost means to each call what it means to that call.
      const gone = error instanceof ClientError && error.code === "UNAVAILABLE";
      for (const { call, reject } of items) reject(gone ? lost(call, error) : error);
    }
  }
}

/** Aborts when all have: then nobody waits for the answer. */
function allOf(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  let left = signals.length;
  for (const signal of signals)
    signal.addEventListener("abort", () => {
      left -= 1;
      if (left === 0) all.abort(signal.reason);
    });
  return all.signal;
}

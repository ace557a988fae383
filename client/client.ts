import { Batches } from "./batches.ts";
import { type Call, newCall, perform, within } from "./call.ts";
import { ClientError } from "./client-error.ts";
import { type Fetch, Http } from "./http.ts";
import { Link, type LinkStatus } from "./link.ts";
import { Numbers, SocketCalls } from "./socket-calls.ts";
import { type TokenSource, Tokens } from "./tokens.ts";
import { guard, type OnMessage, type SubscribeOptions, Topics } from "./topics.ts";
import type {
  CallOptions,
  ClassByType,
  CreationOf,
  LifecycleOptions,
  RemoteObject,
  StateOf,
  TypeName,
} from "./types.ts";
import { type OnState, Watches, type WatchOptions } from "./watches.ts";

export interface ClientOptions {
  /** Where the host is, with its base path: `https://example.com/edge`. Default: where the page comes from. */
  readonly url?: string | URL;
  /** Says who calls: a bearer token, or a function that gets one. It is asked again before a token ends, and when one is refused. */
  readonly token?: TokenSource;
  /** Sends calls of one tick in one request, where they go over HTTP: fewer requests, each as slow as its slowest call. */
  readonly batch?: boolean;
  /** Hears of the connection: to show that one is offline, for example. */
  readonly onStatus?: (status: LinkStatus) => void;
  /** In place of the global `fetch`. */
  readonly fetch?: Fetch;
}

/** A host, as its clients use it. `App` is `typeof host`, or a union of classes: `typeof Counter | typeof Wallet`. */
export interface Client<App = unknown> {
  /**
   * An object. Nothing is sent before one of its methods is called.
   *
   * @param options of its calls, unless a call has its own
   * @example
   * const { value } = await client.object("Counter", "visits").add({ by: 1 }, { reliable: true });
   */
  object<Type extends TypeName<App>>(
    type: Type,
    id: string,
    options?: Omit<CallOptions, "callId">,
  ): RemoteObject<ClassByType<App, Type>>;

  /** Creates an object; false when it was there already. @throws ClientError */
  create<Type extends TypeName<App>>(
    type: Type,
    id: string,
    ...parameters: CreationOf<ClassByType<App, Type>>
  ): Promise<boolean>;

  /** Deletes an object, if it is there. @throws ClientError */
  delete(type: TypeName<App>, id: string, options?: LifecycleOptions): Promise<void>;

  /**
   * Listens to a topic, or to all that a pattern has: `*` is any one name, `**` at the end one or more. The client connects,
   * and comes back by itself when it has lost the connection. Messages come once and in order; what may be missing is told.
   *
   * @returns stops it
   * @example
   * const stop = client.subscribe("room/42", (message) => show(message), { onGap: () => reload() });
   */
  subscribe(topic: string, onMessage: OnMessage, options?: SubscribeOptions): () => void;

  /** Hears what objects send to this client alone, or to all. @returns stops it */
  onMessage(onMessage: (data: unknown) => void): () => void;

  /**
   * Follows an object's state: at once, and whenever it has changed. Undefined: it is not there any more.
   *
   * @returns stops it
   * @example
   * const stop = client.watch("Auction", "vase", (auction) => show(auction?.highest));
   */
  watch<Type extends TypeName<App>>(
    type: Type,
    id: string,
    onState: (state: StateOf<ClassByType<App, Type>> | undefined, version: number) => void,
    options?: WatchOptions,
  ): () => void;

  /** How the connection is. `closed`: nothing has needed one yet, or `close` was called, or the host refuses this client. */
  readonly status: LinkStatus;

  /** This client's id, by which objects send to it; undefined before it was connected. */
  readonly clientId: string | undefined;

  /** Connects, which `subscribe` and `onMessage` do by themselves. While it is there, calls go over the connection. */
  connect(): void;

  /** Leaves: the session ends, what listens and watches hears nothing more, and nothing connects before something needs it. */
  close(): void;
}

/**
 * A client of a host. It needs nothing of the host's code, only its types:
 *
 * @example
 * import type { host } from "../worker.ts";
 * const client = createClient<typeof host>({ url: "https://example.com", token: () => session.token() });
 */
export function createClient<App = unknown>(options: ClientOptions = {}): Client<App> {
  return new HostClient(options) as unknown as Client<App>;
}

class HostClient {
  readonly #http: Http;
  readonly #batches: Batches | undefined;
  readonly #link: Link;
  readonly #calls: SocketCalls;
  readonly #topics: Topics;
  readonly #watches: Watches;

  constructor({ url, token, batch, fetch, onStatus }: ClientOptions) {
    const base = baseOf(url);
    const tokens = new Tokens(token);
    this.#http = new Http(base, tokens, fetch);
    if (batch === true) this.#batches = new Batches(this.#http);
    const socket = `${base.replace(/^http/, "ws")}/api/v1/events/socket`;
    this.#link = new Link({ url: socket, tokens, onStatus: (status) => guard(() => onStatus?.(status)) });
    const numbers = new Numbers();
    this.#calls = new SocketCalls(this.#link, numbers);
    this.#watches = new Watches(this.#link, numbers);
    this.#topics = new Topics(this.#link);
  }

  get status(): LinkStatus {
    return this.#link.status;
  }

  get clientId(): string | undefined {
    return this.#link.client;
  }

  watch(type: string, id: string, onState: OnState, options: WatchOptions = {}): () => void {
    return this.#watches.watch(type, id, onState, options);
  }

  connect(): void {
    this.#link.open();
  }

  close(): void {
    this.#link.close();
  }

  subscribe(topic: string, onMessage: OnMessage, options: SubscribeOptions = {}): () => void {
    return this.#topics.subscribe(topic, onMessage, options);
  }

  onMessage(onMessage: (data: unknown) => void): () => void {
    return this.#topics.onDirect(onMessage);
  }

  object(type: string, id: string, options: CallOptions = {}): object {
    const methods = new Map<string, (request?: unknown, own?: CallOptions) => Promise<unknown>>();
    return new Proxy(Object.create(null), {
      get: (_, name) => {
        // Whoever awaits an object, or prints it, looks for these.
        if (typeof name === "symbol" || name === "then" || name === "toJSON") return undefined;
        let method = methods.get(name);
        if (method === undefined) {
          method = (request, own) => this.#call(type, id, name, request, own ? { ...options, ...own } : options);
          methods.set(name, method);
        }
        return method;
      },
    });
  }

  async create(type: string, id: string, request?: unknown, options: LifecycleOptions = {}): Promise<boolean> {
    return (await this.#lifecycle("create", type, id, { request }, options)) === 201;
  }

  async delete(type: string, id: string, options: LifecycleOptions = {}): Promise<void> {
    await this.#lifecycle("delete", type, id, {}, options);
  }

  async #call(type: string, id: string, method: string, request: unknown, options: CallOptions): Promise<unknown> {
    const call = newCall(type, id, method, request, options);
    return perform(call, options, (attempt, signal) => this.#send(attempt, signal));
  }

  #send(call: Call, signal: AbortSignal): Promise<unknown> {
    return this.#calls.call(call, signal) ?? (this.#batches ?? this.#http).call(call, signal);
  }

  async #lifecycle(action: string, type: string, id: string, body: object, { timeout, signal }: LifecycleOptions) {
    const path = `${action}/${[type, id].map(encodeURIComponent).join("/")}`;
    const headers = timeout === undefined ? {} : { "edgeverse-timeout": String(timeout) };
    const late = () => new ClientError("DEADLINE_EXCEEDED", `Cannot ${action} the object in time`);
    const { status } = await within(timeout ?? 60_000, signal, late, (limit) =>
      this.#http.send({ path, body, headers, repeat: false }, limit),
    );
    return status;
  }
}

/** @throws ClientError `INVALID_ARGUMENT` */
function baseOf(url: string | URL | undefined): string {
  const page = (globalThis as { location?: { origin?: string } }).location?.origin;
  const base = String(url ?? page ?? "");
  if (!/^https?:/.test(base)) throw new ClientError("INVALID_ARGUMENT", `Cannot use the url "${base}" of a host`);
  return base.replace(/\/+$/, "");
}

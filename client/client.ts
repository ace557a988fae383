import { Batches } from "./batches.ts";
import { type Call, newCall, perform, within } from "./call.ts";
import { ClientError } from "./client-error.ts";
import { type Fetch, Http } from "./http.ts";
import { type TokenSource, Tokens } from "./tokens.ts";
import type { CallOptions, ClassByType, CreationOf, LifecycleOptions, RemoteObject, TypeName } from "./types.ts";

export interface ClientOptions {
  /** Where the host is, with its base path: `https://example.com/edge`. Default: where the page comes from. */
  readonly url?: string | URL;
  /** Says who calls: a bearer token, or a function that gets one. It is asked again before a token ends, and when one is refused. */
  readonly token?: TokenSource;
  /** Sends calls of one tick in one request, where they go over HTTP: fewer requests, each as slow as its slowest call. */
  readonly batch?: boolean;
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

  constructor({ url, token, batch, fetch }: ClientOptions) {
    this.#http = new Http(baseOf(url), new Tokens(token), fetch);
    if (batch === true) this.#batches = new Batches(this.#http);
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
    return (this.#batches ?? this.#http).call(call, signal);
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

import type { Stub } from "../src/index.ts";
import type { Answer, Send } from "./deployment.ts";
import { isTrue, shown } from "./expect.ts";
import type { EdgeverseProbe } from "./probe.ts";

type Methods = Stub<typeof EdgeverseProbe>;
type Response<Name extends keyof Methods> = Awaited<ReturnType<Methods[Name]>>;

/** How a call is sent. */
export interface CallOptions {
  /** Makes it reliable. */
  readonly callId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An object of the verifier, as its clients see it. */
export class Probe {
  readonly type: string;
  readonly id: string;
  readonly #send: (send: Send) => Promise<Answer>;
  /** Reliable calls that may not have ended, by their ids. */
  readonly #open = new Map<string, Send>();

  constructor(type: string, id: string, send: (send: Send) => Promise<Answer>) {
    this.type = type;
    this.id = id;
    this.#send = send;
  }

  /** `Type/id`, for paths. */
  get path(): string {
    return `${this.type}/${encodeURIComponent(this.id)}`;
  }

  /** Calls a method, whatever comes of it. */
  async send(method: string, request?: unknown, { callId, headers }: CallOptions = {}): Promise<Answer> {
    const call = {
      method: "POST",
      path: `/api/v1/objects/call/${this.path}/${method}`,
      headers: { ...(callId === undefined ? {} : { "idempotency-key": callId }) },
      ...(request === undefined ? {} : { body: { request } }),
    };
    if (callId !== undefined && !this.#open.has(callId)) this.#open.set(callId, call);
    const answer = await this.#send({ ...call, headers: { ...headers, ...call.headers } });
    if (callId !== undefined && answer.status === 200) this.#open.delete(callId);
    return answer;
  }

  /** The reliable calls that may not have ended: one that is sent again is answered when it has. */
  openCalls(): readonly Send[] {
    return [...this.#open.values()];
  }

  /** What a call answers. @throws Failure when it is refused */
  async call<Name extends keyof Methods & string>(
    method: Name,
    request?: Parameters<Methods[Name]>[0],
    options?: CallOptions,
  ): Promise<Response<Name>> {
    const answer = await this.send(method, request, options);
    isTrue(answer.status === 200, `${method} answered ${shown(answer)}`);
    return (answer.json as { response: Response<Name> }).response;
  }

  async count(): Promise<number> {
    return (await this.call("get")).count;
  }

  /** Where a reliable call stands. */
  callStatus(callId: string): Promise<Answer> {
    return this.#send({ path: `/api/v1/objects/calls/${this.path}/${encodeURIComponent(callId)}` });
  }

  cancelCall(callId: string): Promise<Answer> {
    return this.#send({ method: "DELETE", path: `/api/v1/objects/calls/${this.path}/${encodeURIComponent(callId)}` });
  }

  create(request?: unknown): Promise<Answer> {
    const body = request === undefined ? {} : { body: { request } };
    return this.#send({ method: "POST", path: `/api/v1/objects/create/${this.path}`, ...body });
  }

  delete(): Promise<Answer> {
    return this.#send({ method: "POST", path: `/api/v1/objects/delete/${this.path}` });
  }
}

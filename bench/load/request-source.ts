import type { RequestPlan } from "./job.ts";

const KEY_HOLE = "0".repeat(36);

/** The requests of a job as bytes, made before the clock runs. */
export class RequestSource {
  readonly #texts: Buffer[];
  readonly #holes: number[];
  readonly #prefix: string;
  #next = 0;

  constructor(plan: RequestPlan, port: number) {
    const count = Math.max(plan.paths.length, plan.bodies?.length ?? 0, plan.headers?.length ?? 0);
    const texts = Array.from({ length: count }, (_, index) => requestText(plan, index, port));
    this.#texts = texts.map((text) => Buffer.from(text, "latin1"));
    this.#holes = plan.freshKeys === true ? texts.map((text) => text.indexOf(KEY_HOLE)) : [];
    this.#prefix = crypto.randomUUID().slice(0, 24);
  }

  get taken(): number {
    return this.#next;
  }

  /** The next request. Its bytes stay as they are until it comes round again. */
  take(): Buffer {
    const number = this.#next++;
    const index = number % this.#texts.length;
    const hole = this.#holes[index];
    if (hole === undefined) return this.#texts[index]!;
    const text = Buffer.from(this.#texts[index]!);
    text.latin1Write(`${this.#prefix}${String(number).padStart(12, "0")}`, hole);
    return text;
  }
}

function requestText(plan: RequestPlan, index: number, port: number): string {
  const body = plan.bodies?.[index % plan.bodies.length];
  const head = [
    `${plan.method} ${plan.paths[index % plan.paths.length]} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    ...(plan.headers === undefined ? [] : [plan.headers[index % plan.headers.length]]),
    ...(plan.freshKeys === true ? [`Idempotency-Key: ${KEY_HOLE}`] : []),
    ...(body === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${body.length}`]),
  ];
  const text = `${head.join("\r\n")}\r\n\r\n${body ?? ""}`;
  // Lengths are counted in characters and written as latin1: that is right only for ASCII.
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f) throw new Error(`Cannot send ${JSON.stringify(text)}: it is not ASCII`);
  }
  return text;
}

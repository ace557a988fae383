/** `edgeverse/verify`: the classes that `npx edgeverse verify` works with. A host serves them only if it names them. */
import * as z from "zod";
import { type CallOutcome, callOutcome, method, VirtualObject } from "../src/index.ts";

/** More than any setting allows a state, a value or a message to have. */
const bytes = z.number().int().min(0).max(1_900_000);
const ms = z.number().int().min(0).max(10_000).default(0);
const text = z.string().max(100);

/** Their clients are anonymous; a host's own rules can say otherwise. */
const OPEN = { anonymous: true, delete: { anonymous: true } };

/** Does what the rules speak of, to itself and its like alone: whoever may call it can do no harm with it. */
export class EdgeverseProbe extends VirtualObject.withState(
  z.object({
    count: z.number().int().default(0),
    notes: z.array(z.string()).default([]),
    filling: z.string().default(""),
  }),
) {
  static override readonly type = "EdgeverseProbe";
  static override readonly access = OPEN;
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number().int().default(1) }) }),
    get: method({ readonly: true }),
    put: method({ request: z.object({ keys: z.array(text).max(100) }) }),
    rows: method({
      readonly: true,
      request: z.object({
        prefix: text.optional(),
        limit: z.number().int().min(1).max(100),
        cursor: z.string().optional(),
      }),
    }),
    note: method({ request: z.object({ text, ms }) }),
    turnTime: method({ request: z.object({ ms }) }),
    refuse: method({ request: z.object({ reason: text }) }),
    throwError: method(),
    writeReadonly: method({ readonly: true }),
    spoil: method(),
    answerBigInt: method(),
    fill: method({ request: z.object({ bytes }) }),
    answer: method({ request: z.object({ bytes }), readonly: true }),
    callThrough: method({ request: z.object({ path: z.array(text).max(4) }) }),
    moveTo: method({ request: z.object({ other: text, by: z.number().int(), fail: z.boolean().default(false) }) }),
    addTo: method({ request: z.object({ other: text, by: z.number().int() }) }),
    send: method({ request: z.object({ other: text, by: z.number().int(), times: z.number().int().min(1).max(20) }) }),
    heard: method({ internal: true, request: callOutcome }),
    remindMe: method({ request: z.object({ after: ms, texts: z.array(text).max(20), forget: text }) }),
    reminded: method({ internal: true, request: z.object({ text }) }),
  };

  /** No small counts: those are the same for many. */
  static override readonly index = { count: ({ count }: { count: number }) => (count < 1_000_000 ? undefined : count) };

  add({ by }: { by: number }) {
    this.state.count += by;
    return { count: this.state.count };
  }

  get() {
    const { count, notes } = this.state;
    return { count, notes };
  }

  put({ keys }: { keys: string[] }) {
    for (const key of keys) this.store.put(key, { key });
  }

  rows(range: { prefix?: string | undefined; limit: number; cursor?: string | undefined }) {
    const { rows, cursor } = this.store.page(range);
    return { keys: rows.map(({ key }) => key), cursor: cursor ?? null };
  }

  /** Notes that it begins and that it ends, `ms` later. */
  async note({ text, ms }: { text: string; ms: number }) {
    this.state.notes.push(`${text} begins`);
    await pause(ms);
    this.state.notes.push(`${text} ends`);
    return { notes: this.state.notes };
  }

  async turnTime({ ms }: { ms: number }) {
    const begin = this.now();
    await pause(ms);
    return { begin, end: this.now() };
  }

  refuse({ reason }: { reason: string }) {
    this.#change();
    this.fail(reason, "the probe was asked to refuse", { reason });
  }

  throwError() {
    this.#change();
    throw new Error("edgeverse verify asked the probe to throw: this is no fault");
  }

  writeReadonly() {
    this.#change();
  }

  /** Leaves a state that its schema refuses. */
  spoil() {
    this.#change();
    this.state.count = "spoiled" as unknown as number;
  }

  answerBigInt() {
    this.#change();
    return 1n as unknown as number;
  }

  fill({ bytes }: { bytes: number }) {
    this.#change();
    this.state.filling = "x".repeat(bytes);
  }

  answer({ bytes }: { bytes: number }) {
    return "x".repeat(bytes);
  }

  /** Has the first object of a path call the rest of it, and waits. */
  async callThrough({ path }: { path: string[] }): Promise<{ hops: number }> {
    const [next, ...rest] = path;
    if (next === undefined) return { hops: 0 };
    const { hops } = await this.object(EdgeverseProbe, next).callThrough({ path: rest });
    return { hops: hops + 1 };
  }

  /** Adds to another object by a reliable call. */
  async addTo({ other, by }: { other: string; by: number }): Promise<{ count: number }> {
    return this.object(EdgeverseProbe, other, { callId: this.callIdFor("add") }).add({ by });
  }

  /** Moves some of its count to another object, in a transaction that may be asked to fail. */
  async moveTo({ other, by, fail }: { other: string; by: number; fail: boolean }): Promise<{ counts: number[] }> {
    const counts = await this.transact(
      [
        [EdgeverseProbe, this.id],
        [EdgeverseProbe, other],
      ],
      async (from, to) => {
        const taken = await from.add({ by: -by });
        const given = await to.add({ by });
        return [taken.count, given.count];
      },
    );
    if (fail) this.fail("ASKED", "the probe was asked to refuse");
    return { counts };
  }

  /** Adds to another object through the outbox, and notes each outcome. */
  send({ other, by, times }: { other: string; by: number; times: number }) {
    for (let time = 0; time < times; time++) this.outbox(EdgeverseProbe, other, { onOutcome: "heard" }).add({ by });
  }

  heard(outcome: CallOutcome) {
    this.state.notes.push(outcome.status === "success" ? JSON.stringify(outcome.response) : outcome.status);
  }

  /** Has itself called for each of the texts but the one that it forgets. */
  remindMe({ after, texts, forget }: { after: number; texts: string[]; forget: string }) {
    for (const text of texts) this.remind(text, { after }, "reminded", { text });
    return { forgotten: this.forget(forget), due: this.reminders().length };
  }

  reminded({ text }: { text: string }) {
    const { reminder } = this.context.caller;
    const inTime = reminder?.name === text && this.now() >= reminder.due;
    this.state.notes.push(`${text} ${inTime ? "in time" : "too soon"}`);
  }

  /** Not declared: nobody can call it. */
  undeclared() {
    return "called";
  }

  /** What must not be seen if the turn fails. */
  #change(): void {
    this.state.count += 1_000;
    this.store.put("changed", true);
  }
}

/** Exists only when it is created, with a request. */
export class EdgeverseProbeMember extends VirtualObject.withState(z.object({ name: z.string().default("") })) {
  static override readonly type = "EdgeverseProbeMember";
  static override readonly access = OPEN;
  static override readonly autoCreate = false;
  static override readonly create = z.object({ name: text });
  static override readonly methods = { name: method({ readonly: true }) };

  name() {
    return { name: this.state.name };
  }

  protected override onCreate({ name }: { name: string }) {
    this.state.name = name;
  }
}

/**
 * The classes that `npx edgeverse verify` needs in a host: `defineHost({ objects: [Counter, ...probes] })`. Like those of any
 * other class, everybody who reaches the Worker can call their methods.
 */
export const probes = [EdgeverseProbe, EdgeverseProbeMember] as const;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import { method, VirtualObject } from "edgeverse";
import { ManualClock } from "edgeverse/testing";
import fc from "fast-check";
import { z } from "zod";

/** Time in the present story, and how long hooks take in it. */
export const present = { clock: new ManualClock(), hooksTake: 0 };
export const sleep = (ms: number) => new Promise<void>((resolve) => present.clock.after(ms, resolve));

export class Ledger extends VirtualObject<{ tokens: string[]; created: number }> {
  static override readonly type = "Ledger";
  static override readonly state = z.object({
    tokens: z.array(z.string()).default([]),
    created: z.number().default(0),
  });
  static override readonly timeout = "2s";
  static override readonly methods = {
    add: method({ request: z.object({ token: z.string() }) }),
    slow: method({ request: z.object({ token: z.string(), ms: z.number() }) }),
    refuse: method({ request: z.object({ token: z.string() }) }),
    forward: method({ request: z.object({ token: z.string(), to: z.string(), ms: z.number() }) }),
    list: method({ readonly: true }),
    slowList: method({ readonly: true, request: z.object({ ms: z.number() }) }),
  };
  protected override onCreate() {
    this.state.created++;
  }
  protected override async onActivate() {
    if (present.hooksTake > 0) await sleep(present.hooksTake);
  }
  protected override async onDeactivate() {
    if (present.hooksTake > 0) await sleep(present.hooksTake);
  }
  add({ token }: { token: string }) {
    this.state.tokens.push(token);
    this.store.put(token, this.state.tokens.length);
    return this.state.tokens.length;
  }
  async slow({ token, ms }: { token: string; ms: number }) {
    this.state.tokens.push(token);
    await sleep(ms);
    this.store.put(token, this.state.tokens.length);
    return this.state.tokens.length;
  }
  refuse({ token }: { token: string }) {
    this.state.tokens.push(token);
    this.store.put(token, -1);
    throw this.fail("NO", "no");
  }
  async forward({ token, to, ms }: { token: string; to: string; ms: number }) {
    if (ms > 0) await sleep(ms);
    await this.object(Ledger, to, { callId: `fwd-${token}` }).add({ token: `fwd-${token}` });
    return this.add({ token });
  }
  list() {
    return this.state.tokens;
  }
  async slowList({ ms }: { ms: number }) {
    await sleep(ms);
    return this.state.tokens;
  }
}

export const IDS = ["a", "b", "c", "d"] as const;
const id = fc.constantFrom(...IDS);
const timeout = fc.constantFrom(5, 40, 300, 1_900);
export const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("add" as const), id, reliable: fc.boolean(), timeout }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("slow" as const),
      id,
      reliable: fc.boolean(),
      timeout,
      ms: fc.constantFrom(1, 30, 200),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("refuse" as const), id, reliable: fc.boolean(), timeout }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("forward" as const),
      id,
      to: id,
      reliable: fc.boolean(),
      timeout,
      ms: fc.constantFrom(0, 20),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("again" as const), pick: fc.nat(20), timeout }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), id, ms: fc.constantFrom(0, 30) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), partition: fc.nat(1), commits: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("failCommit" as const), partition: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("log" as const), down: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 1, 10, 60, 700) }) },
);
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

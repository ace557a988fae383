import { method, type ObjectClass, VirtualObject } from "edgeverse";
import { z } from "zod";
import { Counter } from "../../examples/counter.ts";
import { Journal } from "../../examples/journal.ts";
import { Wallet } from "../../examples/wallet.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";

export function cluster(objects: readonly ObjectClass[] = [Counter, Wallet, Journal, Lab], config = {}) {
  created = 0;
  const made = new TestCluster({ objects, config });
  return { made, clock: made.clock };
}

export const gates = new Map<string, () => void>();
export let created = 0;

/** Does what tests ask of it. */
export class Lab extends VirtualObject<{ value: number; note?: string | undefined }> {
  static override readonly type = "Lab";
  static override readonly state = z.object({ value: z.number().default(0), note: z.string().optional() });
  static override readonly methods = {
    bump: method(),
    bumpThenThrow: method(),
    slowBump: method({ request: z.object({ gate: z.string() }) }),
    peek: method({ readonly: true }),
    slowPeek: method({ readonly: true, request: z.object({ gate: z.string() }) }),
    cheat: method({ readonly: true }),
    respond: method({ request: z.unknown() }),
    fill: method({ request: z.object({ bytes: z.number() }) }),
    corrupt: method(),
    callMe: method({ request: z.object({ path: z.array(z.string()) }) }),
    vanish: method(),
    secretKeeper: method(),
  };
  #uncommitted = 0;

  protected override onCreate() {
    created++;
  }
  bump() {
    this.#uncommitted++;
    return { value: ++this.state.value, seen: this.#uncommitted };
  }
  bumpThenThrow() {
    this.#uncommitted += 100;
    this.state.value += 100;
    this.store.put("left", "behind");
    throw new Error("secret detail");
  }
  async slowBump({ gate }: { gate: string }) {
    const before = this.state.value;
    await new Promise<void>((resolve) => gates.set(gate, resolve));
    this.state.value = before + 1;
    return { value: this.state.value };
  }
  peek() {
    return { value: this.state.value };
  }
  async slowPeek({ gate }: { gate: string }) {
    await new Promise<void>((resolve) => gates.set(gate, resolve));
    return { value: this.state.value };
  }
  cheat() {
    this.state.value = 7;
  }
  respond(request: unknown) {
    if (request === "function") return () => 1;
    if (request === "nan") return { deep: [Number.NaN] };
    if (request === "date") return new Date(0);
    if (request === "nothing") return undefined;
    return request;
  }
  fill({ bytes }: { bytes: number }) {
    this.state.note = "x".repeat(bytes);
  }
  corrupt() {
    (this.state as { value: unknown }).value = "not a number";
  }
  async callMe({ path }: { path: string[] }): Promise<unknown> {
    const [next, ...rest] = path;
    if (next === undefined) return { id: this.id };
    return await this.object(Lab, next).callMe({ path: rest });
  }
  vanish() {
    this.deleteSelf();
  }
  secretKeeper() {
    return 1;
  }
  hidden() {
    return "never";
  }
}

/** Lists a journal without saying what of it; and has a schema with a fault. */
export class Lister extends VirtualObject {
  static override readonly type = "Lister";
  static override readonly methods = {
    list: method(),
    parse: method({ request: z.string().refine((text) => JSON.parse(text) !== null) }),
  };
  async list() {
    const journal = this.object(Journal, "j");
    return [await journal.list(), await this.object(Journal, "j", { callId: this.callIdFor("list") }).list({})];
  }
  parse(text: string) {
    return text;
  }
}

import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { z } from "zod";

export const gates = new Map<string, () => void>();
export const gate = (name: string) => new Promise<void>((resolve) => gates.set(name, resolve));
export const floating: unknown[] = [];
export const open = (name: string) => gates.get(name)?.();
export const some = z.object({ gate: z.string() });

export class Base extends VirtualObject<{ value: number; pad?: string | undefined }> {
  static override readonly state = z.object({ value: z.number().default(0), pad: z.string().optional() });
  static override readonly methods = {
    bump: method(),
    peek: method({ readonly: true }),
    slowBump: method({ request: some }),
    slowPeek: method({ readonly: true, request: some }),
    replace: method(),
    bumpOther: method({ request: z.object({ other: z.string(), gate: z.string().optional() }) }),
    peekAndBump: method({ readonly: true, request: z.object({ other: z.string(), gate: z.string() }) }),
    peekOther: method({ request: z.object({ other: z.string(), gate: z.string() }) }),
    fireAndForget: method({ request: z.object({ other: z.string(), gate: z.string() }) }),
    oddTimeout: method({ request: z.object({ other: z.string(), gate: z.string() }) }),
    fill: method({ request: z.object({ bytes: z.number() }) }),
    echo: method({ request: z.unknown() }),
    echoOf: method({ request: z.object({ other: z.string(), text: z.string() }) }),
  };
  bump() {
    return ++this.state.value;
  }
  peek() {
    return this.state.value;
  }
  async slowBump({ gate: name }: { gate: string }) {
    const before = this.state.value;
    await gate(name);
    this.state.value = before + 1;
    return this.state.value;
  }
  async slowPeek({ gate: name }: { gate: string }) {
    await gate(name);
    return this.state.value;
  }
  /** Takes its own change back by putting a copy in the state's place. */
  replace() {
    const before = structuredClone(this.state);
    this.state.value += 100;
    this.state = before;
  }
  async bumpOther({ other, gate: name }: { other: string; gate?: string | undefined }) {
    if (name !== undefined) await gate(name);
    return await this.object(Base, other).bump();
  }
  async peekAndBump({ other, gate: name }: { other: string; gate: string }) {
    await gate(name);
    return await this.object(Base, other).bump();
  }
  async peekOther({ other, gate: name }: { other: string; gate: string }) {
    return await this.object(Base, other).slowPeek({ gate: name });
  }
  fireAndForget({ other, gate: name }: { other: string; gate: string }) {
    void this.object(Base, other)
      .bumpOther({ other: this.id, gate: name })
      .catch((error: unknown) => floating.push(error));
  }
  async oddTimeout({ other, gate: name }: { other: string; gate: string }) {
    await this.object(Base, other, { timeout: Number.NaN }).slowBump({ gate: name });
  }
  fill({ bytes }: { bytes: number }) {
    this.state.pad = "x".repeat(bytes);
  }
  echo(request: unknown) {
    return request;
  }
  async echoOf({ other, text }: { other: string; text: string }) {
    const answer = (await this.object(Base, other).echo(text)) as string;
    return answer.length;
  }
}
export class Lab extends Base {
  static override readonly type = "Lab";
}
// Stubs need the served class: `Base` stands for `Lab` in the code above.
Object.defineProperty(Base, "type", { value: "Lab" });

export class Again extends VirtualObject<{ value: number }> {
  static override readonly type = "Again";
  static override readonly reentrant = true;
  static override readonly state = z.object({ value: z.number().default(0) });
  static override readonly methods = {
    fails: method({ request: z.object({ gate: z.string().optional() }) }),
    addOne: method(),
    vanishAndFail: method(),
    storeAndFail: method(),
    cheat: method({ readonly: true }),
    peek: method({ readonly: true }),
    keys: method({ readonly: true }),
    survive: method({ request: z.object({ what: z.string() }) }),
    keepReference: method(),
    both: method(),
    readThenFail: method({ readonly: true, request: some }),
  };
  async fails({ gate: name }: { gate?: string | undefined }) {
    this.state.value += 100;
    if (name !== undefined) await gate(name);
    throw this.fail("NO", "no");
  }
  addOne() {
    return ++this.state.value;
  }
  vanishAndFail() {
    this.deleteSelf();
    throw this.fail("NO", "no");
  }
  storeAndFail() {
    this.store.put("left", "behind");
    throw this.fail("NO", "no");
  }
  cheat() {
    this.state.value = 777;
  }
  peek() {
    return this.state.value;
  }
  keys() {
    return this.store.list().map((row) => row.key);
  }
  async survive({ what }: { what: string }) {
    const self = this.object(Again, this.id) as unknown as Record<string, (request?: unknown) => Promise<unknown>>;
    await self[what]?.(what === "fails" ? {} : undefined).catch(() => undefined);
  }
  async keepReference() {
    const { state } = this;
    await this.object(Again, this.id)
      .fails({})
      .catch(() => undefined);
    state.value += 1;
    return this.state.value;
  }
  async both() {
    const self = this.object(Again, this.id);
    const failing = self.fails({ gate: "both" }).catch(() => undefined);
    await self.addOne();
    open("both");
    await failing;
    return this.state.value;
  }
  async readThenFail({ gate: name }: { gate: string }) {
    await gate(name);
    await this.object(Again, this.id).addOne();
  }
}

export function setup(config: Record<string, string | number> = {}) {
  gates.clear();
  const made = new TestCluster({ objects: [Lab, Again], config });
  return { made, clock: made.clock };
}

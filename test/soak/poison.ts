import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

/** What a method may throw that is no error, or none that anybody expects. */
const ODD: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  undefined: () => undefined,
  text: () => "x".repeat(100_000),
  symbol: () => Symbol("odd"),
  getter: () => ({
    get message() {
      throw new Error("from a getter");
    },
  }),
  proxy: () =>
    new Proxy(
      {},
      {
        get() {
          throw new Error("from a proxy");
        },
      },
    ),
  circle: () => {
    const error = new Error("in a circle");
    error.cause = error;
    return error;
  },
  huge: () => new Error("x".repeat(2_000_000)),
};

/** States that JSON or the schema can't hold. */
const UNFIT: Readonly<Record<string, () => unknown>> = {
  bigint: () => ({ filling: 1n }),
  number: () => ({ filling: Number.NaN }),
  nothing: () => undefined,
  circle: () => {
    const circle: Record<string, unknown> = {};
    circle["filling"] = circle;
    return circle;
  },
};

const bytes = z.number().int().min(0);

/** Does whatever a method should not do. */
export class Poison extends VirtualObject.withState(z.object({ filling: z.string().default("") })) {
  static override readonly type = "Poison";
  static override readonly timeout = "1s";
  static override readonly methods = {
    throwOdd: method({ request: z.object({ what: z.string() }) }),
    leaveUnfit: method({ request: z.object({ what: z.string() }) }),
    loop: method(),
    hang: method(),
    burn: method({ request: z.object({ rounds: z.number().int() }) }),
    grow: method({ request: z.object({ bytes }) }),
    putRows: method({ request: z.object({ rows: z.number().int(), bytes }) }),
    answer: method({ request: z.object({ bytes }), readonly: true }),
    dawdle: method({ request: z.object({ ms: z.number(), filling: z.string() }) }),
    throwLater: method(),
    vanish: method(),
    callItself: method(),
  };

  throwOdd({ what }: { what: string }) {
    this.state.filling = what;
    throw ODD[what]?.();
  }

  leaveUnfit({ what }: { what: string }) {
    this.state = UNFIT[what]?.() as { filling: string };
  }

  /** Goes on long after its deadline. Nothing but the end of the process could stop one that never ends. */
  async loop() {
    for (let rounds = 0; rounds < 3_000; rounds++) await pause(10);
  }

  async hang() {
    await new Promise(() => {});
  }

  burn({ rounds }: { rounds: number }) {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum = (sum * 31 + round) % 1_000_003;
    return { sum };
  }

  grow({ bytes }: { bytes: number }) {
    this.state.filling = "x".repeat(bytes);
  }

  putRows({ rows, bytes }: { rows: number; bytes: number }) {
    for (let row = 0; row < rows; row++) this.store.put(`${row}`, "x".repeat(bytes));
  }

  answer({ bytes }: { bytes: number }) {
    return "x".repeat(bytes);
  }

  async dawdle({ ms }: { ms: number; filling: string }) {
    await pause(ms);
  }

  throwLater() {
    setTimeout(() => {
      throw new Error("nobody waits for this one");
    }, 5);
  }

  vanish() {
    this.deleteSelf();
    throw new Error("after it deleted itself");
  }

  async callItself(): Promise<void> {
    await this.object(Poison, this.id).callItself();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Compile-time tests of `edgeverse/testing`: `tsc --noEmit` checks this file, nothing runs it. A `@ts-expect-error` that
 * compiles is itself the error.
 */
import { method, type Stub, VirtualObject } from "edgeverse";
import { type ManualClock, simulate, systemClock, TestCluster, type Workload } from "edgeverse/testing";
import * as z from "zod";
import { Counter } from "../../examples/counter.ts";
import type { Clock } from "../../src/platform/ports.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_Claim extends true>(): void {}

class Room extends VirtualObject.withState(z.object({ name: z.string().default("") })) {
  static override readonly type = "Room";
  static override readonly create = z.object({ name: z.string() });
  static override readonly methods = { name: method({ readonly: true }) };
  protected override onCreate(request?: { name: string }) {
    this.state.name = request?.name ?? "";
  }
  name() {
    return this.state.name;
  }
}

/** Nothing here may run. */
export async function cluster() {
  const manual = new TestCluster({ objects: [Counter, Room], partitions: 2, config: { callTimeout: "1s" } });
  check<Equal<typeof manual.clock, ManualClock>>();
  check<Equal<typeof manual, TestCluster>>();
  const real = new TestCluster({ objects: [Counter], clock: systemClock });
  check<Equal<typeof real.clock, Clock>>();
  // @ts-expect-error the computer's clock can't be moved
  real.clock.advance(1);
  // @ts-expect-error no such setting
  new TestCluster({ objects: [Counter], config: { calltimeout: "1s" } });
  // @ts-expect-error not a virtual object
  new TestCluster({ objects: [Date] });

  const counter = manual.object(Counter, "a", { callId: "c", identity: { id: "ann", roles: [] } });
  check<Equal<typeof counter, Stub<typeof Counter>>>();
  // @ts-expect-error of another type
  counter.add({ by: "1" });
  // @ts-expect-error no such option
  manual.object(Counter, "a", { callID: "c" });

  await manual.create(Counter, "a");
  await manual.create(Room, "a", { name: "hall" });
  // @ts-expect-error this class takes a request
  await manual.create(Room, "a");
  // @ts-expect-error this one takes none
  await manual.create(Counter, "a", { name: "hall" });
  // @ts-expect-error where to?
  await manual.move(Counter, "a");
  // @ts-expect-error a class, not its name
  manual.ownerOf("Counter", "a");
}

/** What `call` returns is what `check` hears. */
export async function workloads() {
  await simulate({
    seed: 1,
    workload: {
      objects: [Counter],
      calls: 1,
      async call({ object, n, random }) {
        // @ts-expect-error no such method
        await object(Counter, "a").increment();
        return { by: n + random.int(5) };
      },
      check({ answers }) {
        for (const { answer, error } of answers) {
          if (error === undefined) check<Equal<typeof answer, { by: number }>>();
          else check<Equal<typeof answer, undefined>>();
        }
      },
    },
  });
  ({ objects: [Counter], calls: 1, call: ({ n }) => n }) satisfies Workload<number>;
  // @ts-expect-error not what it says it returns
  ({ objects: [Counter], calls: 1, call: ({ n }) => n }) satisfies Workload<string>;
  // @ts-expect-error nothing is called
  ({ objects: [Counter], calls: 1 }) satisfies Workload;
}

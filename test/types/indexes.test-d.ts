/** Compile-time tests of indexes ([IDX1], [IDX2]): `tsc --noEmit` checks this file, nothing runs it. */
import { type StateOf, VirtualObject } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";
import { z } from "zod";
import { Counter } from "../../examples/counter.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_Claim extends true>(): void {}

class Auction extends VirtualObject.withState(
  z.object({ open: z.boolean().default(true), price: z.number().default(0), tags: z.array(z.string()).default([]) }),
) {
  static override readonly type = "Auction";
  static override readonly index = {
    open: ({ open }: { open: boolean }) => open,
    price: ({ open, price }: { open: boolean; price: number }) => (open ? price : undefined),
    tags: ({ tags }: { tags: string[] }) => tags,
  };
}

const host = defineHost({ objects: [Auction, Counter] });
declare const env: Parameters<typeof host.query>[0];

/** Queries as authors write them. Nothing here may run. */
export async function queries() {
  const { objects, cursor } = await host.query(env, Auction, { index: "price", from: 10, order: "desc", limit: 5 });
  check<Equal<(typeof objects)[number], { readonly id: string; readonly value: number }>>();
  check<Equal<typeof cursor, string | undefined>>();
  await host.query(env, Auction, { index: "open", value: true, cursor });
  await host.query(env, Auction, { index: "tags", prefix: "a" });
  // @ts-expect-error no such index
  await host.query(env, Auction, { index: "opened", value: true });
  // @ts-expect-error a value of another type
  await host.query(env, Auction, { index: "open", value: "true" });
  // @ts-expect-error a class without indexes
  await host.query(env, Counter, { index: "value" });
}

class Misread extends VirtualObject.withState(z.object({ price: z.number().default(0) })) {
  static override readonly type = "Misread";
  static override readonly index = { price: ({ price }: { price: string }) => price };
}
// @ts-expect-error an object is no value of an index
class Unfit extends VirtualObject.withState(z.object({ price: z.number().default(0) })) {
  static override readonly type = "Unfit";
  static override readonly index = { price: (state: StateOf<typeof Misread>) => state };
}
void Unfit;

// @ts-expect-error the index reads another state than the class has
defineHost({ objects: [Misread] });

import type { RateGroup } from "../group.ts";
import { add, bare, transactions } from "../plans.ts";

const connections = 32;
const SIZES = [2, 10];
const name = (size: number) => `transaction of ${size} objects`;

/** One request changes several objects together, beside one that changes one; a transaction counts as one call. */
export const transactionGroup: RateGroup = {
  kind: "rates",
  name: "transactions",
  title: `Transactions, ${connections} connections`,
  async cases(context) {
    const [baseline, edgeverse] = [await context.baseline(), await context.neighbours()];
    return [
      { name: "bare RPC, no write", server: baseline, connections, plan: bare.rpc },
      { name: "durable call", server: edgeverse, connections, plan: add },
      ...SIZES.map((size) => ({ name: name(size), server: edgeverse, connections, plan: transactions(size) })),
    ];
  },
  comparisons: SIZES.map((size) => ({ of: name(size), to: "durable call" })),
};

/** Compile-time tests of the stubs of a transaction ([OBJ5], [TX1]): `tsc --noEmit` checks this file, nothing runs it. */
import { method, type Stub, VirtualObject } from "edgeverse";
import { Counter } from "../../examples/counter.ts";
import { Wallet } from "../../examples/wallet.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_Claim extends true>(): void {}

/** Transactions as authors write them. Nothing here may run. */
export class Caller extends VirtualObject {
  static override readonly type = "Caller";
  static override readonly methods = { right: method(), wrong: method() };

  async right() {
    // A transaction's function has a stub of each object, and its result is the transaction's.
    const sum = await this.transact(
      [
        [Counter, "c"],
        [Wallet, "w"],
      ],
      async (counter, wallet) => {
        check<Equal<typeof counter, Stub<typeof Counter>>>();
        check<Equal<typeof wallet, Stub<typeof Wallet>>>();
        return (await counter.add({ by: 1 })).value + (await wallet.getBalance()).balance;
      },
    );
    check<Equal<typeof sum, number>>();
    const plain = await this.transact([[Counter, "c"]], () => "at once");
    check<Equal<typeof plain, string>>();
    const ids = ["a", "b"];
    const values = await this.transact(
      ids.map((id) => [Counter, id] as const),
      (...counters) => Promise.all(counters.map((each) => each.add({ by: 1 }))),
    );
    check<Equal<typeof values, { value: number }[]>>();
  }

  async wrong() {
    await this.transact(
      [
        [Counter, "c"],
        [Wallet, "w"],
      ],
      async (first, second) => {
        // @ts-expect-error the second is a wallet
        await second.add({ by: 1 });
        // @ts-expect-error a wrong request
        await first.add({ by: "1" });
      },
    );
    // @ts-expect-error more stubs than objects
    await this.transact([[Counter, "c"]], async (_first, second) => second);
    // @ts-expect-error no id
    await this.transact([[Counter]], () => undefined);
    // @ts-expect-error no class
    await this.transact([["Counter", "c"]], () => undefined);
  }
}

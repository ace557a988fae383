import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { settle } from "../../src/testing/clocks.ts";

const begin = Promise.withResolvers<void>();
const end = Promise.withResolvers<void>();

class Cell extends VirtualObject.withState(z.object({ tokens: z.array(z.string()).default([]) })) {
  static override readonly type = "Cell";
  static override readonly shardBy = () => "one";
  static override readonly methods = {
    first: method(),
    second: method(),
    append: method({ request: z.object({ token: z.string() }) }),
    see: method({ readonly: true }),
  };

  async first() {
    await begin.promise;
    const objects = [
      [Cell, "a"],
      [Cell, "c"],
    ] as const;
    await this.transact(objects, async (...cells) => {
      await end.promise;
      for (const cell of cells) await cell.append({ token: "first" });
    });
  }

  async second() {
    const objects = [
      [Cell, "a"],
      [Cell, "b"],
      [Cell, "c"],
    ] as const;
    await this.transact(objects, async (...cells) => {
      for (const cell of cells) await cell.append({ token: "second" });
    });
  }

  append({ token }: { token: string }) {
    this.state.tokens.push(token);
  }

  see() {
    return this.state.tokens;
  }
}

test("[TX4] a turn of an object that does not exist begins again, and finds what was written there meanwhile", async () => {
  using cluster = new TestCluster({ objects: [Cell] });
  const [a, b, c] = [cluster.object(Cell, "a"), cluster.object(Cell, "b"), cluster.object(Cell, "c")];
  const first = c.first();
  await settle();
  const second = b.second();
  await settle();
  // The first one waits for a, which the second one has taken, as it has b; and the second one waits for c. It begins again.
  begin.resolve();
  await settle();
  const third = b.append({ token: "third" });
  await settle();
  end.resolve();
  await Promise.all([first, second, third]);
  expect((await b.see()).toSorted()).toEqual(["second", "third"]);
  expect([await a.see(), await c.see()]).toEqual([
    ["first", "second"],
    ["first", "second"],
  ]);
});

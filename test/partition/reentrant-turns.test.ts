import { type EdgeverseError, method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

/** What each turn does, by the name it is called with. */
let scripts: Record<string, (self: Nest) => unknown>;

const isEmpty = (value: unknown) => JSON.stringify(value) === "{}";

interface Held {
  n: number;
  more?: number;
}

/** A reentrant object with any state; a new one has `{ n: 0 }`. */
class Nest extends VirtualObject<Held> {
  static override readonly type = "Nest";
  static override readonly reentrant = true;
  static override readonly state = z.preprocess(
    (value) => (isEmpty(value) ? { n: 0 } : value),
    z.custom<Held>(() => true),
  );
  static override readonly methods = {
    run: method({ request: z.string() }),
    look: method({ readonly: true, request: z.string() }),
  };
  run(name: string): unknown {
    return scripts[name]?.(this);
  }
  look(name: string): unknown {
    return scripts[name]?.(this);
  }
  /** A turn within the present one. */
  inner(name: string, readonly = false): Promise<unknown> {
    const self = this.object(Nest, this.id);
    return readonly ? self.look(name) : self.run(name);
  }
  get held() {
    return this.state;
  }
  replace(state: unknown) {
    this.state = state as Held;
  }
  get rows() {
    return this.store;
  }
  leave() {
    this.deleteSelf();
  }
}

async function story(outer: (self: Nest) => unknown, inner: (self: Nest) => unknown) {
  scripts = { outer, inner, state: (self) => self.held, rows: (self) => self.rows.list().map(({ key }) => key) };
  const made = new TestCluster({ objects: [Nest] });
  const reply = await made.clock.until(made.send("Nest", "a", "run", "outer"));
  const see = (what: string) => made.call("Nest", "a", "look", what);
  return { made, reply, see };
}
const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};

describe("a turn within a turn of its object", () => {
  test("[TURN7] works on what the outer one has; what it changes is in the state that the outer one holds", async () => {
    const { see } = await story(
      async (self) => {
        const { held } = self;
        held.n = 1;
        held.more = 5;
        await self.inner("inner");
        expect([held, self.held === held]).toEqual([{ n: 2 }, true]);
        held.n++;
      },
      (self) => {
        expect(self.held).toEqual({ n: 1, more: 5 });
        self.replace({ n: 2 });
      },
    );
    expect(await see("state")).toEqual({ n: 3 });
  });

  test("[TURN7] changes the state of one that has not looked at it", async () => {
    const { see } = await story(
      async (self) => {
        await self.inner("inner");
        expect(self.held).toEqual({ n: 1 });
      },
      (self) => {
        self.held.n++;
      },
    );
    expect(await see("state")).toEqual({ n: 1 });
  });

  test.each([
    ["an array", { n: 1 }, [1, 2]],
    ["an array by an object", [1], { n: 1 }],
    ["null", { n: 1 }, null],
    ["null by an object", null, { n: 1 }],
    ["a number", { n: 1 }, 7],
    ["an array by another", [1], [2, 3]],
  ])("[TURN7] may replace the state: %s", async (_name, before, after) => {
    const { reply, see } = await story(
      async (self) => {
        self.replace(before);
        await self.inner("inner");
        return self.held;
      },
      (self) => {
        self.replace(after);
      },
    );
    expect(reply).toMatchObject({ response: JSON.stringify(after) });
    expect(await see("state")).toEqual(after);
  });

  test("[TURN7] [TURN2] conflicts with one that changes the state meanwhile: neither change is lost", async () => {
    const { opened, open } = gate();
    const { reply, see } = await story(
      async (self) => {
        const inner = self.inner("inner").catch((error: EdgeverseError) => error.code);
        self.held.n = 5;
        open();
        return await inner;
      },
      async (self) => {
        await opened;
        self.held.n++;
        self.rows.put("inner", 1);
      },
    );
    expect(reply).toMatchObject({ response: '"CONFLICT"' });
    expect([await see("state"), await see("rows")]).toEqual([{ n: 5 }, []]);
  });

  test("[TURN7] that changes no state conflicts with nobody", async () => {
    const { opened, open } = gate();
    const { reply, see } = await story(
      async (self) => {
        const inner = self.inner("inner");
        self.held.n = 5;
        open();
        return await inner;
      },
      async (self) => {
        const { n } = self.held;
        await opened;
        self.rows.put("inner", n);
        return n;
      },
    );
    expect(reply).toMatchObject({ response: "0" });
    expect([await see("state"), await see("rows")]).toEqual([{ n: 5 }, ["inner"]]);
  });

  test("[TURN7] sees the rows of the outer one, and writes over them", async () => {
    const { reply, see } = await story(
      async (self) => {
        for (const key of ["a", "b", "c"]) self.rows.put(key, 1);
        await self.inner("inner");
        return self.rows.list().map(({ key, value }) => `${key}=${value}`);
      },
      (self) => {
        expect([self.rows.get("a"), self.rows.get("d")]).toEqual([1, undefined]);
        self.rows.put("a", 2);
        self.rows.delete("b");
        self.rows.put("d", 3);
        expect(self.rows.list().map(({ key }) => key)).toEqual(["a", "c", "d"]);
      },
    );
    expect(reply).toMatchObject({ response: '["a=2","c=1","d=3"]' });
    expect(await see("rows")).toEqual(["a", "c", "d"]);
  });

  test("[TURN7] [LIFE3] that deletes the object deletes it with the outer turn", async () => {
    const { made, see } = await story(
      async (self) => {
        self.held.n = 9;
        self.rows.put("a", 1);
        await self.inner("inner");
      },
      (self) => self.leave(),
    );
    expect([await see("state"), await see("rows")]).toEqual([{ n: 0 }, []]);
    expect(made.storage("p0").query("SELECT id FROM objects")).toEqual([]);
  });

  test("[TURN7] that does not delete it leaves it there", async () => {
    const { made } = await story(
      (self) => self.inner("inner"),
      () => 1,
    );
    expect(made.storage("p0").query("SELECT id FROM objects")).toEqual([{ id: "a" }]);
  });

  test("[TURN7] [TURN2] that only reads sees the outer one's work, frozen", async () => {
    const { reply } = await story(
      async (self) => {
        self.held.n = 3;
        return await self.inner("inner", true);
      },
      (self) => [self.held, Object.isFrozen(self.held)],
    );
    expect(reply).toMatchObject({ response: '[{"n":3},true]' });
  });

  test("[TURN7] [TURN2] that outlives the outer one has no effect", async () => {
    const { opened, open } = gate();
    let ended: unknown;
    const { made, see } = await story(
      (self) => {
        void self.inner("inner").catch((error: unknown) => {
          ended = error;
        });
      },
      async (self) => {
        self.held.n = 100;
        await opened;
      },
    );
    open();
    await made.clock.advance(10);
    expect(ended).toBeInstanceOf(Error);
    expect(await see("state")).toEqual({ n: 0 });
  });
});

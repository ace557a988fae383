import type { Check, CheckContext } from "../check.ts";
import { bodyOf, equal, isProblem } from "../expect.ts";
import { EdgeverseProbe } from "../probe.ts";

const { type } = EdgeverseProbe;

interface BatchResult {
  readonly response?: unknown;
  readonly error?: { readonly code: string };
  readonly replayed?: true;
}

export const batchChecks: readonly Check[] = [
  {
    rule: "HTTP7",
    title: "each call of a batch has its own outcome in its own place",
    needs: ["probes"],
    async run(context) {
      const [first, second] = [context.probe(), context.probe()];
      const results = await batch(context, [
        { type, id: first.id, method: "add", request: { by: 1 } },
        { type, id: "a/b", method: "add" },
        { type, id: second.id, method: "refuse", request: { reason: "NO" } },
        { type, id: first.id, method: "nothing" },
        { type: "NoSuchType", id: "a", method: "add" },
        { type, id: second.id, method: "add", request: { by: 2 } },
      ]);
      const said = results.map(({ response, error }) => error?.code ?? response);
      const codes = ["INVALID_ID", "CALL_FAILED", "METHOD_NOT_FOUND", "TYPE_NOT_FOUND"];
      equal(said, [{ count: 1 }, ...codes, { count: 2 }], "the outcomes");
    },
  },
  {
    rule: "HTTP7",
    title: "a batch has 1 to 1,000 calls",
    needs: ["probes"],
    async run({ send, probe }) {
      const { id } = probe();
      for (const length of [0, 1_001]) {
        const calls = Array.from({ length }, () => ({ type, id, method: "get" }));
        const answer = await send({ method: "POST", path: "/api/v1/objects/batch", body: { calls } });
        isProblem(answer, 400, "INVALID_ARGUMENT", `${length} calls`);
      }
    },
  },
  {
    rule: "HTTP14",
    title: "the calls of a batch that name one object run in their order, plain and reliable ones alike",
    needs: ["probes"],
    async run(context) {
      const object = context.probe();
      const { id } = object;
      const order = Array.from({ length: 20 }, (_, at) => `${at}`);
      const calls = order.map((text, at) => {
        const reliable = at % 2 === 0 ? {} : { callId: context.name() };
        return { type, id, method: "note", request: { text, ms: at % 3 }, ...reliable };
      });
      await batch(context, calls);
      const { notes } = await object.call("get");
      equal(
        notes,
        order.flatMap((text) => [`${text} begins`, `${text} ends`]),
        "the notes",
      );
    },
  },
  {
    rule: "CALL1",
    title: "a call id that is repeated in batches runs once, and says that it is replayed",
    needs: ["probes"],
    async run(context) {
      const [object, callId] = [context.probe(), context.name()];
      const call = { type, id: object.id, method: "add", request: { by: 1 }, callId };
      const results = [...(await batch(context, [call, call])), ...(await batch(context, [call]))];
      equal(
        results.map(({ response }) => response),
        Array(3).fill({ count: 1 }),
        "the outcomes",
      );
      equal(results.at(-1)?.replayed, true, '"replayed" of the last');
      equal(await object.count(), 1, "the count after them");
    },
  },
];

async function batch({ send }: CheckContext, calls: readonly object[]): Promise<readonly BatchResult[]> {
  const answer = await send({ method: "POST", path: "/api/v1/objects/batch", body: { calls } });
  const { results } = bodyOf<{ results: BatchResult[] }>(answer, "the batch");
  equal(results.length, calls.length, "the number of results");
  return results;
}

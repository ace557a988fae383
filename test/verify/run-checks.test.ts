import { expect, test } from "vitest";
import type { Check } from "../../verify/check.ts";
import { Deployment } from "../../verify/deployment.ts";
import type { Facts } from "../../verify/facts.ts";
import { runChecks } from "../../verify/run-checks.ts";
import { startServer } from "../support/local-server.ts";

const facts: Facts = { version: "1", probes: true, admin: false, shards: 0, log: "local", partitions: [] };

/** Runs a check that is stopped when its object is made, on a deployment that deletes objects as it is told. */
async function stoppedRun(deleting: number) {
  const server = await startServer((incoming, outgoing) => {
    const isDelete = incoming.url?.includes("/delete/") === true;
    outgoing.writeHead(isDelete ? deleting : 200).end(JSON.stringify({ response: {} }));
  });
  const stop = new AbortController();
  const check: Check = {
    rule: "TURN1",
    title: "it is stopped",
    async run({ probe, sleep }) {
      await probe().call("add");
      stop.abort();
      await sleep(60_000);
    },
  };
  try {
    const deployment = new Deployment(new URL(server.url), undefined);
    return await runChecks([check, check], {
      deployment,
      facts,
      allowReshard: false,
      stop: stop.signal,
      onResult: () => {},
    });
  } finally {
    await server.stop();
  }
}

test("a check that is stopped and undone has no result, and no other begins", async () => {
  expect(await stoppedRun(200)).toEqual([]);
});

test("what a stopped check could not undo is told", async () => {
  const reason = expect.stringMatching(
    /^it was stopped; it could not clean up: EdgeverseProbe\/verify-.* is left: .*503/,
  );
  expect(await stoppedRun(503)).toEqual([expect.objectContaining({ rule: "TURN1", outcome: "fail", reason })]);
});

import type { Identity } from "../../src/access/identity.ts";
import { parseEventId } from "../../src/push/event-ids.ts";
import { openStream, type StreamRequest } from "../../src/push/open-stream.ts";
import { settle } from "../../src/testing/clocks.ts";
import { testUuid } from "../../src/testing/test-uuid.ts";
import { EventReader } from "../support/event-reader.ts";
import type { GateFixture } from "./gate-fixture.ts";

/** A stream at the gate of a fixture, as a request with this `Last-Event-ID` opens it. */
export async function listen(
  fixture: GateFixture,
  wanted: Partial<Pick<StreamRequest, "topics" | "watch">> = {},
  {
    lastId = "",
    identity = null,
    expires,
    reads = true,
  }: Partial<{
    lastId: string;
    identity: Identity | null;
    expires: number;
    reads: boolean;
  }> = {},
): Promise<EventReader> {
  const { client: _, ...back } = parseEventId(lastId) ?? { client: "" };
  const body = await openStream(
    fixture.gate,
    { topics: [], watch: [], ...wanted, ...back },
    { identity, expires },
    {
      clock: fixture.clock,
      random: { uuid: () => testUuid(1) },
    },
  );
  const reader = new EventReader(body, reads);
  await settle();
  return reader;
}

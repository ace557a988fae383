import { expectTypeOf, test } from "vitest";
import type { LocationHint } from "../../src/config/location-hint.ts";

test("[MAP5] location hints are those that Cloudflare's types know, all of them", () => {
  expectTypeOf<LocationHint>().toEqualTypeOf<DurableObjectLocationHint>();
});

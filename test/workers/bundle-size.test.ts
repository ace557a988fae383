import { expect, test } from "vitest";
import { bundleSizes } from "../../scripts/bundle-size.ts";

test("bundles keep within their budgets", async () => {
  const sizes = await bundleSizes();
  expect(sizes.filter(({ size, budget }) => size > budget)).toEqual([]);
  // A bundle that is nearly nothing was not bundled.
  expect(sizes.map(({ size, budget }) => size > budget / 2)).toEqual(sizes.map(() => true));
});

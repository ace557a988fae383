import { expect, test } from "vitest";
import { authoringImport, BUDGETS, client, hostUpload, objectClass } from "../../scripts/size.ts";

test("what authors import loads neither HTTP nor a database nor a platform, and keeps to its budget", async () => {
  const { kib, modules, packages } = await authoringImport();
  expect(modules).toContain("src/object/virtual-object.ts");
  const folders = new Set(modules.map((path) => path.split("/").slice(0, -1).join("/")));
  expect([...folders].sort()).toEqual(["src", "src/errors", "src/object"]);
  expect(packages).toEqual(["zod"]);
  expect(kib).toBeLessThan(BUDGETS.authoring);
});

test("a class of objects brings nothing but zod with it, and keeps to its budget", async () => {
  const { kib, modules, packages } = await objectClass();
  const foreign = modules.filter((path) => /node_modules\//.test(path) && !/node_modules\/zod\//.test(path));
  expect([foreign, packages]).toEqual([[], []]);
  expect(kib).toBeLessThan(BUDGETS.class);
});

test("[CLIENT1] a client loads none of the host's code and no package, and keeps to its budget", async () => {
  const { kib, modules, packages } = await client();
  expect(modules.filter((path) => !path.startsWith("client/"))).toEqual([]);
  expect(packages).toEqual([]);
  expect(kib).toBeLessThan(BUDGETS.client);
});

test("the default host, as wrangler uploads it, keeps to its budget", { timeout: 120_000 }, async () => {
  const kib = await hostUpload();
  expect(kib).toBeLessThan(BUDGETS.host);
  // Less than half was not bundled.
  expect(kib).toBeGreaterThan(BUDGETS.host / 2);
});

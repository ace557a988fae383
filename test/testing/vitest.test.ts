import { join } from "node:path";
import { edgeverseProjects } from "edgeverse/testing/vitest";
import { expect, test } from "vitest";

const wrangler = join(import.meta.dirname, "../../wrangler.toml");

// What the projects do is tested by test/docs/testing.test.ts, which runs the tests of a page with them.
test("the preset has a project for Node and one for workerd", async () => {
  const projects = await edgeverseProjects({ wrangler });
  expect(projects.map(({ test }) => test?.name)).toEqual(["node", "workerd"]);
  expect(projects.map(({ plugins = [] }) => plugins.length)).toEqual([0, 1]);
});

test("the preset says which configuration of the Worker is missing", async () => {
  await expect(edgeverseProjects({ wrangler: "none.toml" })).rejects.toThrow("there is no none.toml here");
});

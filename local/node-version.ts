import { createRequire } from "node:module";

const { engines } = createRequire(import.meta.url)("edgeverse/package.json") as { engines: { node: string } };

/** The first with `node:sqlite`, as package.json says it: `>=22.13`. */
const LEAST = engines.node.replace(">=", "");

/** Says what is wrong with this Node; undefined when nothing. */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST.split(".").map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
  return `edgeverse needs Node ${LEAST} or newer, and this is ${version}: see https://nodejs.org`;
}

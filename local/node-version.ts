/** The first with `node:sqlite`, and what wrangler itself asks for. */
const LEAST = [22, 13] as const;

/** Says what is wrong with this Node; undefined when nothing. */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return undefined;
  return `edgeverse needs Node ${LEAST.join(".")} or newer, and this is ${version}: see https://nodejs.org`;
}

import { UsageError } from "./usage-error.ts";

/** What npm, and Cloudflare for a Worker, take as a name. */
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const LONGEST = 54; // Cloudflare's, so that previews of the Worker get addresses too.

/**
 * @param taken names of packages that the project installs: npm refuses to install one into a project of its name
 * @throws UsageError with a name that would do
 */
export function checkProjectName(name: string, taken: readonly string[]): void {
  if (taken.includes(name)) throw new UsageError(`"${name}" is a package of this project: try "${name}-app"`);
  if (NAME.test(name) && name.length <= LONGEST) return;
  throw new UsageError(
    `"${name}" can't name a Worker: use up to ${LONGEST} small letters, digits and single dashes, such as "${similarName(name)}"`,
  );
}

function similarName(name: string): string {
  const similar = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, LONGEST)
    .replace(/-$/, "");
  return similar === "" ? "my-app" : similar;
}

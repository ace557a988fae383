import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline/promises";
import { UsageError } from "./usage-error.ts";

const DEFAULT = "my-app";

/** Where the project goes, when nobody said. @throws UsageError where nobody can be asked, or nobody wants to answer */
export async function askFolder(yes: boolean): Promise<string> {
  if (yes) return DEFAULT;
  if (!stdin.isTTY || !stdout.isTTY) throw new UsageError("Name a folder: npm create edgeverse my-app");
  const terminal = createInterface({ input: stdin, output: stdout });
  const leaving = new AbortController();
  terminal.once("close", () => leaving.abort()); // Ctrl-C and Ctrl-D.
  try {
    const answer = await terminal.question(`Folder of the new project (${DEFAULT}): `, { signal: leaving.signal });
    return answer.trim() || DEFAULT;
  } catch {
    throw new UsageError("\nNothing was written.");
  } finally {
    terminal.close();
  }
}

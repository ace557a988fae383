import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** A host that an author runs. It is stopped at the end of its block. */
export interface AuthorHost extends AsyncDisposable {
  readonly url: string;
  /** @returns its exit code */
  stop(): Promise<number | null>;
}

/** Runs a command that serves an author's project, on a free port, until it is ready. @throws Error with what it said */
export async function startHost(
  [command = "", ...args]: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<AuthorHost> {
  const child = spawn(command, [...args, "--json"], { cwd, env: { ...env, PORT: "0" } });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const ended = exited.then(() => Promise.reject(new Error(`${command} ${args.join(" ")} ended: ${said}`)));
  const lines = createInterface(child.stdout);
  const [line] = (await Promise.race([once(lines, "line"), ended])) as string[];
  ended.catch(() => {}); // From here on it may.
  const { url } = JSON.parse(line ?? "") as { url: string };
  const stop = () => {
    child.kill("SIGTERM");
    return exited;
  };
  return { url, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** Asks until the answer is yes. */
export async function until(ask: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await ask()); await sleep(50))
    if (performance.now() > end) throw new Error("it did not happen in time");
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A host that an author runs. */
export interface AuthorHost {
  readonly url: string;
  stop(): Promise<number | null>;
}

/** Runs `edgeverse start` or `edgeverse dev` in an author's project until it is ready. @throws Error with what it said */
export async function startHost(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<AuthorHost> {
  const options = { cwd, env: { ...env, PORT: "0" } };
  const child = spawn("node_modules/.bin/edgeverse", [...args, "--json"], options);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const ended = exited.then(() => Promise.reject(new Error(`edgeverse ${args.join(" ")} ended: ${said}`)));
  const lines = createInterface(child.stdout);
  const [line] = (await Promise.race([once(lines, "line"), ended])) as string[];
  ended.catch(() => {}); // From here on it may.
  const { url } = JSON.parse(line ?? "") as { url: string };
  return {
    url,
    stop: () => {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

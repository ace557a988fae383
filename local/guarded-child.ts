import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Stream, Writable } from "node:stream";

/**
 * Becomes the program, beside a watcher that kills the program's whole group when the host's end of the pipe closes: the kernel closes it
 * however the host dies, `kill -9` included. A line on the pipe tells the watcher that the program has ended and nothing is to be killed.
 */
const GUARD = `(exec </dev/null >/dev/null 2>&1 3>&-; read -r line <&4 || kill -s KILL -- -$$) &
exec "$@" 4<&-`;

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedChild {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Asks the program to end; after `graceMs` kills it and everything it started. Resolves when it is gone. */
  stop(graceMs: number): Promise<ChildExit>;
  kill(): void;
}

export interface GuardedChildOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the program reads on its standard input. */
  readonly input?: Uint8Array;
  onLine(line: string): void;
  /**
   * What the program says about itself on file descriptor 3: `lines` of JSON, as workerd, or Node's own messages (`ipc`), as
   * wrangler.
   */
  readonly channel?: "lines" | "ipc";
  onMessage?(message: string): void;
}

/** Starts a program that never outlives this process. It gets its own session, so that Ctrl-C reaches only the host, which then stops it well. */
export function startGuardedChild(
  command: string,
  args: readonly string[],
  options: GuardedChildOptions,
): GuardedChild {
  const child = spawn("/bin/sh", ["-c", GUARD, "sh", command, ...args], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe", options.channel === "ipc" ? "ipc" : "pipe", "pipe"],
    env: options.env as NodeJS.ProcessEnv,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const readLines = (stream: Stream, onLine: (line: string) => void) =>
    createInterface({ input: stream as Readable }).on("line", onLine);
  readLines(child.stdout!, options.onLine);
  readLines(child.stderr!, options.onLine);
  const tell = (message: unknown): void => options.onMessage?.(String(message));
  if (options.channel === "ipc") child.on("message", tell);
  else readLines(child.stdio[3]!, tell);
  const guard = child.stdio[4] as Writable;
  for (const stream of [child.stdin!, guard]) stream.on("error", () => {}); // Its reader may be gone first.
  child.stdin!.end(options.input);
  const exited = exitOf(child).then((exit) => {
    guard.end("\n");
    return exit;
  });
  const kill = (): void => signal(child, "SIGKILL", true);
  return {
    pid: child.pid ?? -1,
    exited,
    kill,
    async stop(graceMs) {
      signal(child, "SIGTERM", false);
      const timer = setTimeout(kill, graceMs);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}

function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ code: 127, signal: null }));
    // "close" comes after the last line of output, but not before something the program left behind lets go of the pipe.
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("exit", (code, signal) => void setTimeout(() => resolve({ code, signal }), 200));
  });
}

function signal(child: ChildProcess, name: NodeJS.Signals, group: boolean): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(group ? -child.pid : child.pid, name);
  } catch {
    // It ended in between.
  }
}

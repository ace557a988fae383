import { rmSync } from "node:fs";
import { type GuardedChild, startGuardedChild } from "./guarded-child.ts";
import { wranglerOf } from "./tools.ts";

/** Name, in the folder for sockets, of the one through which the host alone runs crons. */
export const CONTROL_SOCKET = "control.sock";

/** How a workerd is started, any number of times. */
export interface Launch {
  /** Arguments of `workerd serve`. */
  readonly args: readonly string[];
  /** What it reads on its standard input. */
  readonly input?: Uint8Array;
  /** Names of the sockets it is to listen on. */
  readonly sockets: readonly string[];
  /** Those of them that are files. workerd leaves them behind and can't bind over them. */
  readonly socketFiles: readonly string[];
  /** Variables that its configuration refers to. */
  readonly env: Readonly<Record<string, string>>;
}

/** A run of workerd. */
export interface WorkerdRun {
  readonly child: GuardedChild;
  /** Resolves when the worker is loaded and all sockets listen. */
  readonly listening: Promise<void>;
}

export interface WorkerdOptions {
  /** Folder of the project whose workerd it is. */
  readonly project: string;
  readonly cwd: string;
  onLine(line: string): void;
}

/** What workerd itself reads from the environment of the host. RUST_BACKTRACE stays out: it slows workerd several times. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];

export function startWorkerd(launch: Launch, { project, cwd, onLine }: WorkerdOptions): WorkerdRun {
  for (const file of launch.socketFiles) rmSync(file, { force: true });
  const env: Record<string, string> = {};
  for (const name of INHERITED) if (process.env[name] !== undefined) env[name] = process.env[name];
  const silent = new Set(launch.sockets);
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  const { default: program } = wranglerOf(project)("workerd") as { default: string };
  const child = startGuardedChild(program, ["serve", "--control-fd=3", ...launch.args], {
    env: { ...env, ...launch.env },
    cwd,
    ...(launch.input === undefined ? {} : { input: launch.input }),
    onLine,
    channel: "lines",
    onMessage(message) {
      const { event, socket } = JSON.parse(message) as { event: string; socket?: string };
      if (event === "listen" && silent.delete(socket ?? "") && silent.size === 0) resolve();
    },
  });
  return { child, listening };
}

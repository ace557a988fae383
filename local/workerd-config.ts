import { type BinaryModule, BUNDLE, CONTROL_ENTRYPOINT } from "./bundle.ts";
import type { WorkerSettings } from "./worker-settings.ts";

export interface WorkerdConfigOptions {
  readonly host: string;
  readonly port: number;
  /** Absolute path of the Unix socket through which the host runs crons. */
  readonly controlSocket: string;
  /** Absolute path of the folder with the Durable Objects' SQLite files. */
  readonly objectsFolder: string;
  readonly worker: Pick<WorkerSettings, "compatibilityDate" | "compatibilityFlags" | "durableObjects" | "classes">;
  readonly binaries: readonly BinaryModule[];
  /** Names of text bindings. Their values come from workerd's environment: a secret is neither on disk nor in a command line. */
  readonly fromEnvironment: readonly string[];
  /** Bindings that are no text, from `vars` of the worker's file. */
  readonly json: Readonly<Record<string, unknown>>;
  /** MiB that V8's heap may have. */
  readonly heap?: number;
  /** Origins that the worker may reach on private addresses too; public addresses are always open to it. */
  readonly privateOrigins: readonly string[];
}

/** Names of what workerd listens on: for everybody, and for the host alone. */
export const SOCKETS = ["http", "control"] as const;

/** The name of the constant in the generated text, which `workerd serve` wants to be told. */
export const CONFIG_CONSTANT = "edgeverse";

/** Writes the Cap'n Proto configuration of workerd. The modules it embeds lie beside it. */
export function workerdConfig(options: WorkerdConfigOptions): string {
  const { worker } = options;
  const modules = [
    `(name = "${BUNDLE.main}", esModule = embed "${BUNDLE.main}")`,
    ...options.binaries.map(({ name, kind }) => `(name = ${text(name)}, ${kind} = embed ${text(name)})`),
  ];
  const namespaces = worker.classes.map(
    ({ className, sqlite }) =>
      `(className = ${text(className)}, uniqueKey = ${text(`edgeverse-${className}`)}, enableSql = ${sqlite})`,
  );
  const bindings = [
    ...worker.durableObjects.map(({ binding, className }) => [binding, `durableObjectNamespace = ${text(className)}`]),
    ...options.fromEnvironment.map((name) => [name, `fromEnvironment = ${text(name)}`]),
    ...Object.entries(options.json).map(([name, value]) => [name, `json = ${text(JSON.stringify(value))}`]),
  ];
  const compatibility = `compatibilityDate = ${text(worker.compatibilityDate)}`;
  return `using Workerd = import "/workerd/workerd.capnp";

const ${CONFIG_CONSTANT} :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [${list(modules)}],
      ${compatibility},
      compatibilityFlags = [${worker.compatibilityFlags.map(text).join(", ")}],
      bindings = [${list(bindings.map(([name, value]) => `(name = ${text(name!)}, ${value})`))}],
      # The key decides where an object's file lies: it must not follow a worker's or class's name that a deployment may change.
      durableObjectNamespaces = [${list(namespaces)}],
      durableObjectStorage = (localDisk = "objects"),
      globalOutbound = "outbound",
      cacheApiOutbound = (name = "outbound", entrypoint = "cache"),
    )),
    (name = "outbound", worker = (
      modules = [(name = "${BUNDLE.outbound}", esModule = embed "${BUNDLE.outbound}")],
      ${compatibility},
      bindings = [
        (name = "ORIGINS", json = ${text(JSON.stringify(options.privateOrigins))}),
        (name = "internet", service = "internet"),
        (name = "named", service = "named"),
      ],
      globalOutbound = "internet",
    )),
    (name = "internet", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
    (name = "named", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
    (name = "objects", disk = (path = ${text(options.objectsFolder)}, writable = true)),
  ],
  structuredLogging = true,${options.heap === undefined ? "" : `\n  v8Flags = ["--max-old-space-size=${options.heap}"],`}
  sockets = [
    (name = "http", address = ${text(socketAddress(options.host, options.port))}, http = (), service = "main"),
    (name = "control", address = ${text(`unix:${options.controlSocket}`)}, http = (),
      service = (name = "main", entrypoint = "${CONTROL_ENTRYPOINT}")),
  ],
);
`;
}

function socketAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "" : `\n        ${items.join(",\n        ")},\n      `;
}

/** A Cap'n Proto text literal: as in C, with `\xHH` for what can't stand for itself. */
function text(value: string): string {
  let literal = "";
  for (const byte of Buffer.from(value))
    literal +=
      byte === 0x22 || byte === 0x5c
        ? `\\${String.fromCharCode(byte)}`
        : byte < 0x20 || byte > 0x7e
          ? `\\x${byte.toString(16).padStart(2, "0")}`
          : String.fromCharCode(byte);
  return `"${literal}"`;
}

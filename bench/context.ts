import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startBaseline } from "./baseline/start.ts";
import { type Host, type HostSetup, ROOT, startHost } from "./host.ts";
import { Generator } from "./load/generator.ts";
import type { BenchOptions } from "./options.ts";
import type { Server } from "./server.ts";

/** What groups share: the generator, the servers, and the folder of all their state. Disposing it stops and removes them. */
export class Context implements AsyncDisposable {
  readonly options: BenchOptions;
  readonly generator = new Generator();
  readonly #folder: string;
  readonly #running = new Set<Promise<Server>>();
  readonly #shared = new Map<string, Promise<Server>>();

  constructor(options: BenchOptions) {
    this.options = options;
    // Not in the system's temporary folder: that may be memory, where a commit costs nothing.
    const parent = join(ROOT, ".edgeverse");
    mkdirSync(parent, { recursive: true });
    this.#folder = mkdtempSync(join(parent, "bench-"));
  }

  newFolder(): string {
    return mkdtempSync(join(this.#folder, "data-"));
  }

  /** workerd with the bare worker. */
  baseline(): Promise<Server> {
    return this.#once("baseline", () => startBaseline(this.newFolder()));
  }

  /** Edgeverse with the project's own objects. */
  edgeverse(): Promise<Host> {
    return this.#once("edgeverse", () => startHost({ folder: this.newFolder(), ...this.#partitions(1) }));
  }

  /** Edgeverse with the benchmark's objects, on two partitions or more. */
  neighbours(): Promise<Host> {
    const config = join(import.meta.dirname, "wrangler.toml");
    return this.#once("neighbours", () => startHost({ folder: this.newFolder(), config, ...this.#partitions(2) }));
  }

  /** Edgeverse with clients that authenticate, rules and limits for them; with rules alone; or with nothing of it. */
  guarded(file: "wrangler.toml" | "ruled.toml" | "open.toml"): Promise<Host> {
    const config = join(import.meta.dirname, "guarded", file);
    return this.#once(file, () => startHost({ folder: this.newFolder(), config, ...this.#partitions(1) }));
  }

  /** Edgeverse with a gate. */
  gated(): Promise<Host> {
    const config = join(import.meta.dirname, "push/wrangler.toml");
    return this.#once("gated", () => startHost({ folder: this.newFolder(), config, ...this.#partitions(1) }));
  }

  /** Starts at once what will be needed, to be done sooner. Failures show where the servers are used. */
  startAll(): void {
    for (const starting of [this.baseline(), this.edgeverse(), this.neighbours()]) starting.catch(() => {});
  }

  /** A host of one's own, to be stopped by who asked for it. */
  host(setup: Partial<HostSetup> = {}): Promise<Host> {
    return this.#track(startHost({ folder: this.newFolder(), ...this.#partitions(1), ...setup }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.generator.stop();
    await Promise.allSettled([...this.#running].map(async (server) => (await server).stop()));
    this.removeFolder();
  }

  removeFolder(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #partitions(least: number): { partitions: number } {
    return { partitions: Math.max(least, this.options.partitions) };
  }

  #once<S extends Server>(name: string, start: () => Promise<S>): Promise<S> {
    const started = (this.#shared.get(name) as Promise<S> | undefined) ?? this.#track(start());
    this.#shared.set(name, started);
    return started;
  }

  #track<S extends Server>(server: Promise<S>): Promise<S> {
    this.#running.add(server);
    return server;
  }
}

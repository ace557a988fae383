import { setTimeout as sleep } from "node:timers/promises";
import { Cleanup } from "../local/cleanup.ts";
import type { CheckContext } from "./check.ts";
import { Cluster } from "./cluster.ts";
import type { Answer, Deployment } from "./deployment.ts";
import { isTrue, shown } from "./expect.ts";
import type { Facts } from "./facts.ts";
import { NotApplicable } from "./failure.ts";
import { EdgeverseProbe } from "./probe.ts";
import { Probe } from "./probe-object.ts";

/** How something ended. */
export type Ending =
  | { readonly outcome: "pass" }
  | { readonly outcome: "fail" | "not applicable"; readonly reason: string };

/** A check at work: what it did is undone by `cleanUp`. */
export class CheckWork {
  readonly #deployment: Deployment;
  readonly #facts: Facts;
  readonly #name: () => string;
  readonly #undoing = new Cleanup();
  /** Requests that are not answered yet. One that was given up may still take effect. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** What undoes: set while it does. */
  #undoer: CheckContext | undefined;

  constructor(deployment: Deployment, facts: Facts, name: () => string) {
    this.#deployment = deployment;
    this.#facts = facts;
    this.#name = name;
  }

  /** Runs for at most `ms`, and no longer than until `stop`. What it left running then ends too. It never rejects. */
  async attempt(ms: number, stop: AbortSignal, action: (context: CheckContext) => Promise<void>): Promise<Ending> {
    const over = new AbortController();
    const late = AbortSignal.timeout(ms);
    const signal = AbortSignal.any([over.signal, late, stop]);
    const ended = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    try {
      await Promise.race([action(this.#context(signal)), ended]);
      return { outcome: "pass" };
    } catch (error) {
      if (error instanceof NotApplicable) return { outcome: "not applicable", reason: error.message };
      if (stop.aborted) return { outcome: "fail", reason: "it was stopped" };
      if (late.aborted) return { outcome: "fail", reason: `it had not ended after ${ms / 1_000} s` };
      return { outcome: "fail", reason: error instanceof Error ? error.message : String(error) };
    } finally {
      over.abort();
    }
  }

  /** Undoes what was done, also what was given up, when all that was asked for is answered. It never rejects. */
  async cleanUp(ms: number): Promise<Ending> {
    await Promise.allSettled(this.#underWay);
    return this.attempt(ms, new AbortController().signal, async (context) => {
      this.#undoer = context;
      await this.#undoing.run();
    });
  }

  #context(signal: AbortSignal): CheckContext {
    const deployment = this.#deployment;
    const tracked = async (begin: () => Promise<Answer>): Promise<Answer> => {
      signal.throwIfAborted();
      const answer = begin();
      this.#underWay.add(answer);
      return answer.finally(() => this.#underWay.delete(answer));
    };
    const send: CheckContext["send"] = (request) => tracked(() => deployment.send(request));
    const admin: CheckContext["admin"] = (method, path, body) => tracked(() => deployment.admin(method, path, body));
    const undo: CheckContext["undo"] = (step) => this.#undoing.add(() => step(this.#undoer as CheckContext));
    const object = (type: string, id: string) => {
      const probe = new Probe(type, id, send);
      undo(async (context) => {
        // A reliable call that is still pending would make the object anew.
        for (const call of probe.openCalls()) await context.send(call);
        const answer = await new Probe(type, id, context.send).delete();
        isTrue(answer.status === 200, `${type}/${id} is left: ${shown(answer)}`);
      });
      return probe;
    };
    return {
      facts: this.#facts,
      cluster: new Cluster(admin, signal),
      basePath: deployment.basePath,
      name: this.#name,
      probe: (id = this.#name()) => object(EdgeverseProbe.type, id),
      object,
      send,
      admin,
      sleep: (ms) => sleep(ms, undefined, { signal }),
      undo,
    };
  }
}

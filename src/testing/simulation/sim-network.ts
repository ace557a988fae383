import { invocation, messageCopy, subrequest } from "../platform-limits.ts";
import { type AmbushDeed, Ambushes } from "./ambush.ts";
import type { Random } from "./random.ts";
import type { SimTime } from "./sim-clock.ts";
import type { Machine } from "./sim-machine.ts";
import type { SimProcess } from "./sim-process.ts";

/** How well messages travel. Probabilities are for each message. */
export interface Weather {
  readonly lost: number;
  /** It arrives all the same, long after its sender was told otherwise. */
  readonly late: number;
  readonly twice: number;
  /** Ms of the usual delay; some take ten times as long. */
  readonly delay: number;
}

export const CALM: Weather = { lost: 0, late: 0, twice: 0, delay: 1 };

/** Messages of which a second copy is no new order. */
const REPEATABLE = new Set([
  "bootstrap",
  "map",
  "advance",
  "undo",
  "inquire",
  "transfer",
  "activate",
  "drop",
  "wake",
  "configure",
  "deliver",
  "live",
  "watch",
]);

/** What a sender hears that got no answer; the platform marks such errors so. */
export class Unreachable extends Error {
  readonly retryable = true;
  constructor(name: string) {
    super(`simulated: ${name} does not answer`);
  }
}

/** Who waits for the answer to a message, and what befalls it. */
interface Caller {
  readonly resolve: (value: unknown) => void;
  readonly fails: (delay: number) => void;
  readonly deed: AmbushDeed | undefined;
}

interface Parts {
  readonly time: SimTime;
  readonly random: Random;
  readonly machine: (name: string) => Machine;
  readonly trace: (what: string) => void;
  /** Ends a process, or lets another one take its place, if there is a machine of that name. */
  readonly end: (name: string, replaced: boolean) => void;
}

/** Carries messages between processes as copies, and loses, delays, repeats and reorders them. */
export class SimNetwork {
  weather: Weather = CALM;
  readonly ambushes = new Ambushes();
  /** Nothing goes wrong any more. */
  #peace = false;
  readonly #parts: Parts;
  readonly #links = new Map<string, Random>();
  readonly #cuts = new Map<string, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A client of `to` for `from`: every method is a message. */
  client<Client>(from: SimProcess, to: string): Client {
    return new Proxy(
      {},
      {
        get: (_, method) =>
          typeof method === "string" && method !== "then" ? this.#method(from, to, method) : undefined,
      },
    ) as Client;
  }

  /** Nothing gets from one to the other until `until`, either way. */
  cut(one: string, other: string, until: number): void {
    this.#cuts.set(`${one}>${other}`, until);
    this.#cuts.set(`${other}>${one}`, until);
  }

  heal(): void {
    this.#cuts.clear();
    this.ambushes.clear();
    this.#peace = true;
    this.weather = CALM;
  }

  #method(from: SimProcess, to: string, method: string) {
    return (...args: unknown[]) =>
      new Promise((resolve, reject) => {
        subrequest();
        const sent = messageCopy(args);
        const { time, trace } = this.#parts;
        if (!from.alive) return;
        from.leave(() => {
          const link = this.#link(from.name, to);
          const { weather } = this;
          const fails = (delay: number) => {
            time.after(delay, () => from.run(() => reject(new Unreachable(to))));
          };
          const deed = this.ambushes.strike(method);
          const send = (delay: number, answered: boolean) =>
            time.after(delay, () =>
              this.#deliver(from, to, method, sent, answered ? { resolve, fails, deed } : undefined),
            );
          if (deed !== undefined) trace(`${from.name}>${to} ${method} ambushed: ${deed}`);
          if (this.#isCut(from.name, to) || deed === "lost" || deed === "late" || link.chance(weather.lost)) {
            trace(`${from.name}>${to} ${method} lost`);
            fails(link.chance(0.1) ? link.between(1_000, 8_000) : link.between(1, 300));
            if (deed === "late" || link.chance(weather.late))
              send(link.between(1, link.pick([50, 1_000, 6_000])), false);
            return;
          }
          send(this.#delay(link), true);
          if (deed === "sender ends") time.after(0, () => this.#parts.end(from.name, false));
          if (!isRepeatable(method, sent)) return;
          if (deed === "twice") send(link.between(1, link.pick([50, 4_000])), false);
          if (link.chance(weather.twice)) send(this.#delay(link) * 3, false);
        });
      });
  }

  #deliver(from: SimProcess, to: string, method: string, args: unknown[], caller: Caller | undefined): void {
    const { time, trace, machine } = this.#parts;
    const link = this.#link(to, from.name);
    const target = machine(to);
    const [zombie] = target.zombies;
    // Some of those who ask have not heard that another process is in charge.
    const process = zombie?.alive === true && link.chance(0.3) ? zombie : target.running();
    const failed = () => caller?.fails(link.between(0.5, 20));
    if (process === undefined) {
      trace(`${to} does not start`);
      failed();
      return;
    }
    process.unanswered.add(failed);
    process.run(() => {
      trace(`${from.name}>${to} ${method}${caller === undefined ? " again" : ""}`);
      const answer = (text: string, back: () => void) => {
        // It has done what it was asked to do, and what it wrote may be durable or not.
        const deed = this.#peace ? undefined : caller?.deed;
        if (deed === "receiver ends" || deed === "receiver replaced") {
          this.#parts.end(to, deed === "receiver replaced");
        }
        process.leave(() => {
          if (!process.unanswered.delete(failed) || caller === undefined) return;
          if (this.#isCut(to, from.name) || deed === "answer lost" || link.chance(this.weather.lost)) {
            trace(`${from.name}<${to} ${method} ${text} lost`);
            caller.fails(link.between(1, 500));
            return;
          }
          if (deed === "answered, then ends") time.after(0, () => this.#parts.end(to, false));
          time.after(this.#delay(link), () =>
            from.run(() => {
              trace(`${from.name}<${to} ${method} ${text}`);
              back();
            }),
          );
        });
      };
      const action = process.service[method];
      if (action === undefined) throw new Error(`${to} has no method ${method}`);
      invocation(async () => messageCopy(await action.apply(process.service, args as never[]))).then(
        (copy) => answer(kindOf(copy), () => caller?.resolve(copy)),
        (error: unknown) => answer(`threw ${error}`, () => caller?.fails(0)),
      );
    });
  }

  #link(from: string, to: string): Random {
    const key = `${from}>${to}`;
    let random = this.#links.get(key);
    if (random === undefined) {
      random = this.#parts.random.fork(key);
      this.#links.set(key, random);
    }
    return random;
  }

  #delay(link: Random): number {
    const { delay } = this.weather;
    return link.chance(0.05) ? link.between(0, delay * 10) : link.between(0.1, delay);
  }

  #isCut(from: string, to: string): boolean {
    return (this.#cuts.get(`${from}>${to}`) ?? 0) > this.#parts.time.now;
  }
}

function isRepeatable(method: string, [message]: unknown[]): boolean {
  if (method !== "call") return REPEATABLE.has(method);
  return (message as { reliable?: unknown }).reliable !== undefined;
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return "";
  const { kind, error, reason } = value as { kind?: string; error?: { code?: string }; reason?: string };
  return [kind, error?.code, reason].filter((part) => part !== undefined).join(" ");
}

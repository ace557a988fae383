import type { PublicEvent } from "../../object/event.ts";
import { EventRefused, type EventRoutes, type EventSink } from "../../partition/events/ports.ts";
import type { Random } from "./random.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { Service, SimProcess } from "./sim-process.ts";

export const SINKS = "sinks";

/** What happens to a message that arrives. */
type Answer = "taken" | "refused" | "broken";

interface SinkClient {
  send(name: string, events: readonly PublicEvent[]): Promise<Answer>;
}

/** One for batches, and one for single events. */
const LIMITS: Readonly<Record<string, EventSink["limits"]>> = {
  batches: { events: 4, bytes: 1024 * 1024, messages: 1 },
  singles: { events: 1, bytes: 1024 * 1024, messages: 3 },
};

/** Sinks that live beside the cluster. What they have taken they never lose; they may say otherwise. */
export class SimSinks {
  /** All that has arrived, in order, by sink. */
  readonly taken = new Map<string, PublicEvent[]>(Object.keys(LIMITS).map((name) => [name, []]));
  readonly #random: Random;
  #peace = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Nothing goes wrong any more. */
  heal(): void {
    this.#peace = true;
  }

  get service(): Service {
    return { send: async (name: string, events: readonly PublicEvent[]) => this.#take(name, events) };
  }

  /** As a process of a partition reaches them. */
  routes(process: SimProcess, network: SimNetwork, topics: Iterable<string>): EventRoutes {
    const client = network.client<SinkClient>(process, SINKS);
    const names = Object.keys(LIMITS);
    const sinks = names.map((name): [string, EventSink] => {
      const send = async (events: readonly PublicEvent[]) => {
        const answer = await client.send(name, events);
        if (answer === "refused") throw new EventRefused("simulated: refused");
        if (answer === "broken") throw new Error("simulated: broken");
      };
      return [name, { limits: LIMITS[name] as EventSink["limits"], patience: undefined, send }];
    });
    return { sinks: new Map(sinks), topics: new Map(Array.from(topics, (topic) => [topic, names])) };
  }

  #take(name: string, events: readonly PublicEvent[]): Answer {
    const trouble = !this.#peace && this.#random.chance(0.2);
    const answer = trouble ? this.#random.pick(["refused", "broken", "broken, but taken"] as const) : "taken";
    if (answer === "refused" || answer === "broken") return answer;
    this.taken.get(name)?.push(...events);
    return answer === "taken" ? "taken" : "broken";
  }
}

import type { Config } from "../src/config/config.ts";
import { type SinkTopics, sinksOfTopics } from "../src/object/event-topics.ts";
import type { Registry } from "../src/object/registry.ts";
import type { EventRoutes, EventSink } from "../src/partition/events/ports.ts";
import type { NeonOptions } from "./neon-client.ts";
import { clock } from "./platform.ts";
import { PostgresEventSink, removeOldEvents } from "./postgres-event-sink.ts";
import { type EventQueue, QueueSink } from "./queue-sink.ts";
import { WebhookSink } from "./webhook-sink.ts";

/** Where events go to, and which. */
export type SinkOptions<Topic extends string = string> = SinkTopics<Topic> &
  (
    | {
        readonly kind: "webhook";
        /** The variable of `env` with the address. */
        readonly url: string;
        /** The secret of `env` that events are signed with: `whsec_…`. */
        readonly secret: string;
      }
    /** The table `edgeverse_events` in the Postgres at `DATABASE_URL`. */
    | { readonly kind: "postgres" }
    | {
        readonly kind: "queue";
        /** The binding of a Cloudflare Queue. */
        readonly binding: string;
      }
    /** Nowhere: said aloud, since a topic that no sink takes is an error. */
    | { readonly kind: "none" }
  );

/** Sinks by their names. */
export type EventOptions<Topic extends string = string> = Readonly<Record<string, SinkOptions<Topic>>>;

/** The sinks of a host, checked: what makes them under an environment. */
export class EventHost {
  readonly #sinks: EventOptions;
  readonly #topics: EventRoutes["topics"];

  /** @throws Error when the sinks do not fit the events that classes declare */
  constructor(registry: Registry, sinks: EventOptions = {}) {
    this.#sinks = sinks;
    this.#topics = sinksOfTopics(registry.types, sinks);
  }

  /** Removes what the table has had for longer than the retention. @returns how many rows */
  async cleanUp(env: object, config: Config): Promise<number> {
    const bindings = env as Readonly<Record<string, unknown>>;
    const table = Object.entries(this.#sinks).find(([, { kind }]) => kind === "postgres");
    if (table === undefined) return 0;
    return removeOldEvents(databaseOf(table[0], bindings, config), clock.now() - config.retention);
  }

  /** @throws Error naming the variable or binding that is missing, or can't be used; never what is in it */
  routes(env: object, config: Config): EventRoutes {
    const bindings = env as Readonly<Record<string, unknown>>;
    const sinks = new Map<string, EventSink>();
    for (const [name, options] of Object.entries(this.#sinks)) {
      if (options.kind !== "none") sinks.set(name, makeSink(name, options, bindings, config));
    }
    return { sinks, topics: this.#topics };
  }
}

function makeSink(
  name: string,
  options: Exclude<SinkOptions, { readonly kind: "none" }>,
  env: Readonly<Record<string, unknown>>,
  config: Config,
): EventSink {
  switch (options.kind) {
    case "webhook":
      return makeWebhook(
        name,
        { url: textOf(env, options.url, name), secret: textOf(env, options.secret, name) },
        options,
      );
    case "postgres":
      return new PostgresEventSink(databaseOf(name, env, config));
    case "queue": {
      const queue = env[options.binding] as Partial<EventQueue> | undefined;
      if (typeof queue?.sendBatch !== "function")
        throw new Error(`Cannot use the sink "${name}": env has no queue ${options.binding}. Bind it in wrangler.toml`);
      return new QueueSink(queue as EventQueue);
    }
  }
}

function makeWebhook(
  name: string,
  values: { readonly url: string; readonly secret: string },
  names: { readonly url: string; readonly secret: string },
): WebhookSink {
  try {
    return new WebhookSink({ ...values, fetch, now: () => clock.now() });
  } catch (error) {
    throw new Error(
      `Cannot use the sink "${name}", of ${names.url} and ${names.secret} in env: ${(error as Error).message}`,
    );
  }
}

function databaseOf(name: string, env: Readonly<Record<string, unknown>>, config: Config): NeonOptions {
  const endpoint = env["EDGEVERSE_SQL_ENDPOINT"] as string | undefined;
  return { url: textOf(env, "DATABASE_URL", name), endpoint, timeoutMs: config.logTimeout };
}

function textOf(env: Readonly<Record<string, unknown>>, variable: string, sink: string): string {
  const value = env[variable];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`Cannot use the sink "${sink}": env has no ${variable}`);
}

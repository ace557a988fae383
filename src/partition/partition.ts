import { checkAccess } from "../access/decide.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Placement } from "../identity/object-id.ts";
import { ClientKeeper } from "../limits/client-keeper.ts";
import { ObjectLimits } from "../limits/object-limits.ts";
import { type CallMessage, type LifecycleMessage, objectKey, type Reply } from "../object/message.ts";
import { parseRequest, type RequestSchema } from "../object/request.ts";
import { RefusalCounters } from "../observe/refusal-counters.ts";
import type { Genesis } from "../placement/shard-map.ts";
import { isUnused } from "../platform/is-unused.ts";
import type { Clock, Random, SqlStorage } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import { PartitionCore } from "./core.ts";
import { warnOfMisplaced } from "./misplaced.ts";
import type { PartitionOptions } from "./options.ts";
import { PartitionSettings } from "./partition-settings.ts";
import { rawRequest } from "./raw-request.ts";
import { counted, replier } from "./replies.ts";
import type { ReplyRoom } from "./reply-room.ts";
import { Ownership } from "./storage/ownership.ts";
import { migrate } from "./storage/schema.ts";
import { errorReply } from "./turns/error-reply.ts";
import { weightOfCall } from "./turns/memory-budget.ts";
import { methodPlan } from "./turns/method-plan.ts";
import type { TurnPlan } from "./turns/turn.ts";

/** Ms from a commit that was lost to a new start: the first time, and at most, when the new core loses one as well. */
const RESTART_AFTER = { first: 10, most: 10_000 };
/** Ms the coordinator may take to say what a new partition belongs to. */
const BOOTSTRAP_WITHIN = 5_000;
const NO_EFFECT = "the settings of a new cluster differ from what this one was bootstrapped with; they have no effect";
/** Ms after which a start counts as the first one again. */
const STEADY = 60_000;

/**
 * A partition: owns shards, and the objects on them. Plain code over its ports, so that it runs the same in a Durable Object
 * and in a simulation. All it must not forget is in its storage: it may end at any moment and be made again.
 */
export class Partition {
  readonly settings: PartitionSettings;
  /** What its objects take of clients. It outlasts a core, as no failed commit gives anybody more. */
  readonly limits: ObjectLimits;
  /** Keeps what some clients have used at all routers. */
  readonly keeper: ClientKeeper;
  /** What limits refused: its own, and those of routers that report here. */
  readonly refusals = new RefusalCounters();
  readonly #options: PartitionOptions;
  #core: PartitionCore | undefined;
  #starting: Promise<PartitionCore> | undefined;
  /** The core before this one ended over a failed commit, not with its process. */
  #failed = false;
  #restart = { at: 0, delay: RESTART_AFTER.first };

  constructor(options: PartitionOptions) {
    this.#options = options;
    const { clock, limits = {} } = options;
    this.settings = new PartitionSettings(options, () => this.bootstrapped);
    const parts = { now: () => clock.now(), counters: this.refusals };
    this.limits = new ObjectLimits({ ...parts, limits });
    this.settings.onLimits(limits, (now) => this.limits.apply(now));
    this.keeper = new ClientKeeper(parts);
  }

  get storage(): SqlStorage {
    return this.#options.storage;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get random(): Random {
    return this.#options.random;
  }

  /** Its name, unless the platform does not say it. */
  get name(): string | undefined {
    return this.#options.name;
  }

  /** The genesis of a cluster that begins with it. */
  get proposal(): Genesis {
    return this.#options.proposal;
  }

  /** Where an object lives. @throws EdgeverseError `INVALID_ID` */
  placement(type: string, id: string): Placement {
    return this.#options.registry.placement(type, id);
  }

  /** Whether it belongs to a cluster by now. Asking changes nothing. */
  get bootstrapped(): boolean {
    return this.#core !== undefined || (!isUnused(this.storage) && Ownership.stored(this.storage) !== undefined);
  }

  /** The running partition; starts it on first use, at once unless it is new. */
  core(): PartitionCore | Promise<PartitionCore> {
    if (this.#core !== undefined) return this.#core;
    if (this.#starting !== undefined) return this.#starting;
    migrate(this.storage);
    if (Ownership.stored(this.storage) !== undefined) return this.#start();
    this.#starting = this.#bootstrap().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /**
   * Runs one call. Never rejects: what goes wrong is in the reply.
   *
   * @param room where its response must fit
   * @param charged it was taken once, and has come back from a shard that is handed off: limits have counted it
   */
  call(message: CallMessage, room?: ReplyRoom, charged = false): Promise<Reply> {
    try {
      const core = this.core();
      if (core instanceof Promise) return core.then(() => this.call(message, room, charged), errorReply);
      return this.#dispatch(core, message, room, charged);
    } catch (error) {
      return Promise.resolve(errorReply(error));
    }
  }

  /** Creates or deletes an object; the response is `{"created": boolean}` or `{"existed": boolean}`. */
  async lifecycle(message: LifecycleMessage, charged = false): Promise<Reply> {
    try {
      const core = await this.core();
      const definition = this.#options.registry.type(message.type);
      checkAccess(definition.access[message.action], message.caller, message.id);
      const owned = this.#locate(core, message);
      if (owned.kind === "moved") return owned;
      const weight = weightOfCall(message.request);
      if (owned.kind === "gated") {
        const asBefore = () => this.lifecycle(message, charged);
        return await counted(core.memory, weight, asBefore, (go) => core.gate.wait(owned, message, go));
      }
      if (!charged) this.limits.take(message.caller, message.type, message.id);
      const again = () => this.lifecycle(message, true);
      const { action, deadline, requestId, caller } = message;
      const request = action === "create" ? this.#parse(definition.create, message) : undefined;
      const plan = (finish: TurnPlan["finish"]): TurnPlan => ({
        kind: action,
        readonly: false,
        async: false,
        info: { caller, deadline, requestId, callId: undefined, traceparent: undefined },
        creation: request,
        ticket: message.ticket,
        run: () => undefined,
        encode: (_, turn) =>
          JSON.stringify(action === "create" ? { created: turn.created } : { existed: turn.deleted }),
        finish,
      });
      return await new Promise<Reply>((resolve) => {
        const activation = core.open(definition, message.id, owned);
        core.memory.hold(weight);
        core.engine.submit(activation, plan(replier(core, activation, weight, resolve, again)));
      });
    } catch (error) {
      return errorReply(error);
    }
  }

  /** Resumes what an earlier process left: called by the alarm and by cron, harmless at any time. */
  async wake(): Promise<void> {
    migrate(this.storage);
    if (Ownership.stored(this.storage) === undefined) return;
    const core = await this.core();
    await core.shipper?.ship();
    await core.orphans.look();
    core.work.look();
    if (this.#core === core) core.wakeUps.rearm();
    // When this resolves the alarm is gone, so its work must be durable before.
    await this.storage.barrier();
  }

  #dispatch(core: PartitionCore, message: CallMessage, room: ReplyRoom | undefined, charged: boolean): Promise<Reply> {
    room?.check();
    const { registry } = this.#options;
    const definition = registry.type(message.type);
    const method = registry.methodFor(message.caller, definition, message.id, message.method);
    const located = this.#locate(core, message);
    if (located.kind === "moved") return Promise.resolve(located);
    const weight = weightOfCall(message.request);
    const owned = located.kind === "gated" ? core.gate.admit(located, message) : located;
    if (owned.kind === "gated") {
      const asBefore = () => this.call(message, room, charged);
      return counted(core.memory, weight, asBefore, (go) => core.gate.wait(owned, message, go));
    }
    const charge = () => {
      if (!charged) this.limits.take(message.caller, message.type, message.id, method.name);
    };
    if (message.reliable === undefined) charge();
    const again = () => this.call(message, room, true);
    const raw = rawRequest(message);
    const request = this.#parse(method, message, raw);
    const activation = core.open(definition, message.id, owned);
    if (message.reliable !== undefined) {
      return counted(core.memory, weight, again, (go) =>
        core.reliable.call(message, activation, method, { raw, request, charge }, go),
      );
    }
    core.memory.hold(weight);
    const { caller, deadline, requestId, traceparent, chain, ticket } = message;
    return new Promise((resolve) => {
      const plan = methodPlan(method, request, {
        info: { caller, deadline, callId: undefined, requestId, traceparent },
        chain,
        ticket,
        encode: core.encode,
        finish: replier(core, activation, weight, resolve, again),
      });
      core.engine.submit(activation, room === undefined ? plan : room.guard(plan));
    });
  }

  #parse(schema: RequestSchema, message: CallMessage | LifecycleMessage, raw = rawRequest(message)): unknown {
    try {
      return parseRequest(schema, raw);
    } catch (error) {
      if (EdgeverseError.from(error).code === "INTERNAL")
        this.#options.observer.methodThrew(objectKey(message.type, message.id), message.requestId, error);
      throw error;
    }
  }

  #locate(core: PartitionCore, { type, id }: CallMessage | LifecycleMessage): ReturnType<Ownership["locate"]> {
    return core.ownership.locate(this.placement(type, id), this.#options.clock.now());
  }

  async #bootstrap(): Promise<PartitionCore> {
    const { storage, clock, bootstrapper, proposal, name } = this.#options;
    if (name === undefined) throw new EdgeverseError("UNAVAILABLE", "The partition does not know its name yet");
    const { genesis, shards, settings } = await within(
      clock,
      BOOTSTRAP_WITHIN,
      bootstrapper.bootstrap(proposal),
      unknown,
    ).catch((cause: unknown) => {
      throw unknown(cause);
    });
    Ownership.bootstrap(storage, name, genesis, shards);
    this.settings.join(settings);
    return this.#start();
  }

  #start(): PartitionCore {
    const { proposal, observer } = this.#options;
    this.settings.start();
    const bootstrapped = Ownership.stored(this.storage)?.genesis;
    if (JSON.stringify(bootstrapped) !== JSON.stringify(proposal)) {
      observer.warn(NO_EFFECT, { bootstrapped, settings: proposal });
    }
    warnOfMisplaced(this.storage, this.#options.registry, observer);
    const core: PartitionCore = new PartitionCore(
      this.#options,
      (message) => this.call(message),
      (error) => this.#startOver(core, error),
    );
    this.#core = core;
    core.resume(!this.#failed);
    this.#failed = false;
    return core;
  }

  /**
   * A commit failed, so memory may differ from the database. The next core starts from the database, for
   * the calls that were accepted as soon as it can.
   */
  #startOver(core: PartitionCore, error: EdgeverseError): void {
    if (this.#core !== core) return;
    this.#options.observer.warn("a commit failed; the partition starts over from its database", { error });
    this.#core = undefined;
    this.#failed = true;
    core.stop(error);
    const now = this.#options.clock.now();
    const { at, delay } = this.#restart;
    const next = now - at > STEADY ? RESTART_AFTER.first : Math.min(delay * 2, RESTART_AFTER.most);
    this.#restart = { at: now, delay: next };
    this.#options.clock.after(next, () => {
      Promise.resolve()
        .then(() => this.core())
        .catch((cause: unknown) => this.#options.observer.warn("the partition can't start", { error: cause }));
    });
  }
}

function unknown(cause?: unknown): EdgeverseError {
  return new EdgeverseError("UNAVAILABLE", "The coordinator can't be reached, and the partition is new; nothing ran", {
    cause,
  });
}

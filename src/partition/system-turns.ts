import type { DeactivationReason } from "../object/deactivation-reason.ts";
import type { Registry, TypeDefinition } from "../object/registry.ts";
import type { VirtualObject } from "../object/virtual-object.ts";
import type { GroupCommit } from "./storage/group-commit.ts";
import type { Owned, Ownership } from "./storage/ownership.ts";
import { hooksOf } from "./turns/activate.ts";
import type { Activations } from "./turns/activations.ts";
import { systemPlan } from "./turns/system-plan.ts";
import type { TurnActivation } from "./turns/turn.ts";
import type { TurnEngine } from "./turns/turn-engine.ts";

interface Parts {
  readonly registry: Registry;
  readonly ownership: Ownership;
  readonly activations: Activations;
  readonly commit: GroupCommit;
  readonly engine: () => TurnEngine;
  readonly now: () => number;
  readonly config: { readonly callTimeout: number };
  readonly open: (definition: TypeDefinition, id: string, owned: Owned) => TurnActivation;
}

/** Ms an `onDeactivate` may take. */
const DEACTIVATE_WITHIN = 10_000;

/** Turns that nobody calls for: objects that come into memory by themselves, and objects that leave it. */
export class SystemTurns {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Brings an object into memory, and keeps it there while its shard is served here. */
  load(definition: TypeDefinition, id: string): void {
    const { registry, ownership, now, config, engine, open } = this.#parts;
    const located = ownership.locate(registry.placement(definition.type, id), now());
    if (located.kind !== "owned") return;
    const activation = open(definition, id, located);
    activation.pinned = true;
    const nothing = () => undefined;
    engine().submit(activation, systemPlan("create", activation, now() + config.callTimeout, nothing, nothing));
  }

  /** Takes an object out of memory, after its `onDeactivate` if it has one. */
  evict(activation: TurnActivation, reason: DeactivationReason): void {
    const { activations, commit, engine, now } = this.#parts;
    if (activation.instance === undefined || !activation.definition.hooks.has("onDeactivate")) {
      activations.forget(activation);
      return;
    }
    const leave = () => {
      activation.instance = undefined;
      commit.settled(activation, () => {
        if (activation.evictable && activation.instance === undefined) activations.forget(activation);
      });
    };
    const run = (instance: VirtualObject<unknown>) => hooksOf(instance).onDeactivate(reason);
    engine().submit(activation, systemPlan("deactivate", activation, now() + DEACTIVATE_WITHIN, run, leave));
  }
}

import type { Registry, TypeDefinition } from "../object/registry.ts";
import type { Clock } from "../platform/ports.ts";
import type { Ownership } from "./storage/ownership.ts";

/** Id of objects that are loaded by themselves, alone or after their shard or partition. */
const AUTO = "auto";
/** Objects loaded in one event. */
const BATCH = 50;

interface Parts {
  readonly registry: Registry;
  readonly ownership: Ownership;
  readonly clock: Clock;
  /** Brings the object into memory, making it if need be. */
  readonly load: (definition: TypeDefinition, id: string) => void;
}

/** Brings the objects of `autoLoad` types into memory where their place is owned ([LIFE4]), a few at a time. */
export class AutoLoad {
  readonly #parts: Parts;
  #queue: { readonly definition: TypeDefinition; readonly id: string }[] = [];
  #running = false;
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The partition has started: everything that belongs here. */
  all(): void {
    const { ownership, registry, clock } = this.#parts;
    for (const definition of this.#types()) {
      const { autoLoad } = definition.objectClass;
      if (autoLoad === "partition") this.#add(definition, `partition#${ownership.name}/${AUTO}`);
      if (autoLoad !== "global") continue;
      // The one there is belongs to somebody from the start: its first owner claims it.
      const placement = registry.placement(definition.type, AUTO);
      const located = ownership.locate(placement, clock.now());
      if (located.kind === "owned") this.#add(definition, AUTO);
    }
    for (const [shard] of ownership.owned()) this.shard(shard, "shard");
  }

  /** A shard has become this partition's. */
  shard(shard: number, only?: "shard"): void {
    const { ownership } = this.#parts;
    for (const definition of this.#types()) {
      const { autoLoad } = definition.objectClass;
      if (autoLoad === "shard") this.#add(definition, `shard#${shard}/${AUTO}`);
      if (autoLoad === "global" && only === undefined && ownership.isOn(definition.type, AUTO, shard)) {
        this.#add(definition, AUTO);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#queue = [];
  }

  #types(): TypeDefinition[] {
    return this.#parts.registry.types.filter(({ objectClass }) => objectClass.autoLoad !== undefined);
  }

  #add(definition: TypeDefinition, id: string): void {
    this.#queue.push({ definition, id });
    if (this.#running) return;
    this.#running = true;
    this.#parts.clock.soon(() => this.#step());
  }

  #step(): void {
    if (this.#stopped) return;
    for (const { definition, id } of this.#queue.splice(0, BATCH)) this.#parts.load(definition, id);
    this.#running = this.#queue.length > 0;
    if (this.#running) this.#parts.clock.soon(() => this.#step());
  }
}

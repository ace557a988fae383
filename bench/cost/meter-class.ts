import { countRequest, Metered, meterStorage } from "./meter.ts";

interface Target {
  readonly ctx: DurableObjectState;
}

const known = new WeakMap<object, Metered>();

/** What the meter knows of a Durable Object; from its first request on, its storage is counted. */
function meteredOf(object: Target, className: string): Metered {
  let metered = known.get(object);
  if (metered === undefined) {
    metered = new Metered(className, object.ctx.id.name ?? "");
    meterStorage(object.ctx.storage, metered);
    known.set(object, metered);
  }
  return metered;
}

/**
 * Counts the requests of a Durable Object class, and what they do. Every method is one that RPC can call. Adds `meterFire`,
 * which runs the object's next timer or alarm.
 */
export function meterClass(className: string, { prototype }: { readonly prototype: object }): void {
  const methods = Object.getOwnPropertyDescriptors(prototype) as Record<string, PropertyDescriptor>;
  const alarm: unknown = methods["alarm"]?.value;
  for (const [name, { value }] of Object.entries(methods)) {
    if (name === "constructor" || name === "alarm" || typeof value !== "function") continue;
    define(prototype, name, function (this: Target, ...args: unknown[]) {
      countRequest("objectRequests");
      return meteredOf(this, className).run(() => value.apply(this, args) as unknown);
    });
  }
  define(prototype, "meterFire", function (this: Target) {
    return meteredOf(this, className).fire(() => (typeof alarm === "function" ? alarm.call(this) : undefined));
  });
}

function define(prototype: object, name: string, value: (this: Target, ...args: unknown[]) => unknown): void {
  Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}

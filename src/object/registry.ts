import type * as z from "zod";
import { type AccessRule, accessFault, typeAccessFault } from "../access/access.ts";
import { checkAccess, type Steps } from "../access/decide.ts";
import { compiled, lifecycleSteps, methodSteps, type Rule, type TypeAction, watchSteps } from "../access/steps.ts";
import { parseDuration } from "../config/duration.ts";
import { nearestName } from "../config/nearest-name.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { checkType, type Placement, placementOf, type ShardBy } from "../identity/object-id.ts";
import type { Caller } from "./call.ts";
import { topicFault } from "./event.ts";
import { hostRules } from "./host-rules.ts";
import { type LiveView, liveView } from "./live.ts";
import type { LogPolicy } from "./method.ts";
import type { ObjectClass } from "./object-class.ts";
import { TypeIndexes } from "./object-index.ts";
import type { RequestSchema } from "./request.ts";
import { createSchemaFault, requestSchemaFault, stateSchemaFault } from "./schema-faults.ts";
import { type StubCall, stubFactory } from "./stub.ts";
import { VirtualObject } from "./virtual-object.ts";

const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;

/** A declared method, checked and ready to call. */
export interface MethodDefinition {
  readonly name: string;
  readonly request: z.ZodType | undefined;
  readonly readonly: boolean;
  /** For clients there is no such method. */
  readonly internal: boolean;
  /** Who may call it. */
  access: Steps;
  /** What calling it gives: known from its declaration, or learned from its calls. A promise is never unlearned. */
  returns: "promise" | "value" | "unknown";
  /** Ms, or undefined for the configuration's default. */
  readonly timeout: number | undefined;
  readonly log: LogPolicy;
}

/** A type that a host serves. */
export interface TypeDefinition {
  readonly type: string;
  readonly objectClass: ObjectClass;
  readonly methods: ReadonlyMap<string, MethodDefinition>;
  readonly create: RequestSchema;
  /** Schemas of its events, by their topics. */
  readonly events: ReadonlyMap<string, z.ZodType>;
  readonly shardBy: ShardBy | undefined;
  readonly indexes: TypeIndexes | undefined;
  /** Ms, or undefined for the configuration's default. */
  readonly timeout: number | undefined;
  /** Ms, or undefined for the configuration's default. */
  readonly retention: number | undefined;
  readonly hooks: ReadonlySet<Hook>;
  /** Who may create, delete, find and watch its objects. */
  access: Readonly<Record<TypeAction | "watch", Steps>>;
  /** What clients see that watch its objects. */
  readonly view: LiveView | undefined;
  readonly makeStub: (call: StubCall) => object;
}

export type Hook = "onCreate" | "onActivate" | "onDeactivate" | "onDelete";
const HOOKS: readonly Hook[] = ["onCreate", "onActivate", "onDeactivate", "onDelete"];

/** The types of a host, by name. */
export class Registry {
  readonly #types = new Map<string, TypeDefinition>();
  readonly #rules: readonly Rule[];

  /**
   * @param rules who may call what, over what the classes say
   * @param checked the same of a registry that was made already
   * @throws Error naming the class or the rule, and what is wrong with it
   */
  constructor(classes: readonly ObjectClass[], rules: readonly AccessRule[] = [], checked?: Registry) {
    const types = this.#types;
    this.#rules = checked === undefined ? hostRules(rules, classes) : checked.#rules;
    for (const definition of checked?.types ?? []) types.set(definition.type, copyOf(definition));
    for (const objectClass of classes) {
      const definition = define(objectClass);
      if (types.has(definition.type)) throw new Error(`Cannot serve two classes of type "${definition.type}"`);
      types.set(definition.type, definition);
    }
    this.#decideBy(this.#rules);
  }

  /** The same types for another process, which may get other rules while it runs. */
  fork(): Registry {
    return new Registry([], [], this);
  }

  /** Why such rules can't stand over the code's; undefined when they can. */
  ruleFault(rules: readonly AccessRule[]): string | undefined {
    try {
      hostRules(rules, this.#classes);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** From now on these rules come before the code's. One that names what is not served here is about nothing. @param rules without a fault of their own */
  putOver(rules: readonly AccessRule[]): void {
    this.#decideBy([...compiled(rules, "document"), ...this.#rules]);
  }

  get #classes(): ObjectClass[] {
    return this.types.map(({ objectClass }) => objectClass);
  }

  #decideBy(rules: readonly Rule[]): void {
    for (const definition of this.types) {
      const { type, objectClass } = definition;
      const { access: all, methods } = objectClass;
      const over = rules.filter(({ onType }) => onType(type));
      definition.access = {
        create: lifecycleSteps(over, { type, action: "create", all }),
        delete: lifecycleSteps(over, { type, action: "delete", all }),
        query: lifecycleSteps(over, { type, action: "query", all }),
        watch: watchSteps(over, type, objectClass.live),
      };
      for (const [name, method] of definition.methods)
        method.access = methodSteps(over, { type, name, method: methods[name] ?? {}, all });
    }
  }

  get types(): readonly TypeDefinition[] {
    return [...this.#types.values()];
  }

  /** @throws EdgeverseError `TYPE_NOT_FOUND` */
  type(name: string): TypeDefinition {
    const definition = this.#types.get(name);
    if (definition !== undefined) return definition;
    checkType(name);
    throw new EdgeverseError(
      "TYPE_NOT_FOUND",
      `No object type "${name}" is served here${guess(name, this.#types.keys())}`,
    );
  }

  /**
   * Where an object lives: by its id alone, unless its type says otherwise. A type that is not served has no say.
   * @throws EdgeverseError `INVALID_ID`
   */
  placement(type: string, id: string): Placement {
    return placementOf(id, this.#types.get(type)?.shardBy);
  }

  /** Whether an id says where its objects are: together with a type it always does, alone while no type has a `shardBy`. */
  locates(type: string | undefined): boolean {
    return type !== undefined || !this.types.some(({ shardBy }) => shardBy !== undefined);
  }

  /** @throws EdgeverseError `METHOD_NOT_FOUND` for anything not declared, whatever the prototype holds ([OBJ1]) */
  method(definition: TypeDefinition, name: string): MethodDefinition {
    const found = definition.methods.get(name);
    if (found !== undefined) return found;
    throw notDeclared(definition, name, open(definition)); // It may be told to a client: no names of internal methods.
  }

  /**
   * The method of the object `id` for a call that comes from `caller`: every call gets it here, however it comes ([ACC1]).
   * For a client an internal method is not there.
   * @throws EdgeverseError `METHOD_NOT_FOUND`, `ACCESS_DENIED`, `UNAUTHENTICATED`
   */
  methodFor(caller: Caller, definition: TypeDefinition, id: string, name: string): MethodDefinition {
    const found = this.visible(caller, definition, name);
    checkAccess(found.access, caller, id);
    return found;
  }

  /** The same without a look at who may call it. @throws EdgeverseError `METHOD_NOT_FOUND` */
  visible({ kind }: Caller, definition: TypeDefinition, name: string): MethodDefinition {
    const found = definition.methods.get(name);
    if (found !== undefined && (kind !== "client" || !found.internal)) return found;
    throw notDeclared(definition, name, kind === "client" ? open(definition) : definition.methods.keys());
  }
}

/** Names of the methods that are there for clients. */
function open({ methods }: TypeDefinition): string[] {
  return [...methods.values()].filter(({ internal }) => !internal).map(({ name }) => name);
}

function notDeclared({ type }: TypeDefinition, name: string, names: Iterable<string>): EdgeverseError {
  const shown = name.slice(0, 80);
  return new EdgeverseError("METHOD_NOT_FOUND", `${type} declares no method "${shown}"${guess(shown, names)}`);
}

function guess(name: string, names: Iterable<string>): string {
  const nearest = nearestName(name, names);
  return nearest === undefined ? "" : `; did you mean "${nearest}"?`;
}

function copyOf(definition: TypeDefinition): TypeDefinition {
  const methods = Array.from(definition.methods, ([name, method]) => [name, { ...method }] as const);
  return { ...definition, methods: new Map(methods) };
}

/** Nobody has decided yet. */
const UNDECIDED: Steps = { what: "", remedy: "", steps: [] };

/** A type without its access. */
function define(objectClass: ObjectClass): TypeDefinition {
  const where = `class ${(objectClass as unknown as { name: string }).name}`;
  try {
    checkType(objectClass.type);
  } catch {
    throw new Error(`Cannot serve ${where}: its static type ${JSON.stringify(objectClass.type)} is not a valid name`);
  }
  refuse(where, "state schema", stateSchemaFault(objectClass.state));
  refuse(where, "create schema", createSchemaFault(objectClass));
  const timeout = durationOf("timeout", objectClass.timeout, where);
  const { type, access: all } = objectClass;
  if (all !== undefined) refuse(where, "access", typeAccessFault(all));
  const methods = new Map<string, MethodDefinition>();
  for (const [name, options] of Object.entries(objectClass.methods)) {
    checkMethod(objectClass, name, where);
    if (options.request !== undefined)
      refuse(`${where}.${name}`, "request schema", requestSchemaFault(options.request));
    refuse(`${where}.${name}`, "access", accessFault(options));
    methods.set(name, {
      name,
      access: UNDECIDED,
      request: options.request,
      readonly: options.readonly ?? false,
      internal: options.internal ?? false,
      returns: isAsync(objectClass, name) ? "promise" : "unknown",
      timeout: durationOf("timeout", options.timeout, `${where}, method ${name}`) ?? timeout,
      log: options.log ?? objectClass.log,
    });
  }
  const events = new Map(Object.entries(objectClass.events));
  for (const [topic, schema] of events) {
    const what = `event ${JSON.stringify(topic)}`;
    refuse(where, what, topicFault(topic));
    refuse(where, `schema of the ${what}`, requestSchemaFault(schema));
  }
  const prototype = objectClass.prototype as Record<string, unknown>;
  const base = VirtualObject.prototype as unknown as Record<string, unknown>;
  return {
    type,
    objectClass,
    methods,
    events,
    access: { create: UNDECIDED, delete: UNDECIDED, query: UNDECIDED, watch: UNDECIDED },
    shardBy: objectClass.shardBy === undefined ? undefined : (id) => objectClass.shardBy?.(id),
    indexes: checked(where, () => TypeIndexes.of(objectClass)),
    view: checked(where, () => liveView(objectClass.live)),
    create: { name: `create of ${objectClass.type}`, request: objectClass.create },
    timeout,
    retention: durationOf("retention", objectClass.retention, where),
    hooks: new Set(HOOKS.filter((hook) => prototype[hook] !== base[hook])),
    makeStub: stubFactory(methods.keys()),
  };
}

function checked<Made>(where: string, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    throw new Error(`Cannot serve ${where}: ${(error as Error).message}`);
  }
}

function refuse(where: string, what: string, fault: string | undefined): void {
  if (fault !== undefined) throw new Error(`Cannot serve ${where}: its ${what} ${fault}`);
}

function isAsync(objectClass: ObjectClass, name: string): boolean {
  return (objectClass.prototype as unknown as Record<string, unknown>)[name] instanceof AsyncFunction;
}

function checkMethod(objectClass: ObjectClass, name: string, where: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) throw new Error(`Cannot serve ${where}: bad method name "${name}"`);
  if (name in VirtualObject.prototype || name === "then") {
    throw new Error(`Cannot serve ${where}: "${name}" is reserved and can't be declared as a method`);
  }
  if (typeof (objectClass.prototype as unknown as Record<string, unknown>)[name] !== "function") {
    throw new Error(`Cannot serve ${where}: it declares "${name}" but has no such method`);
  }
}

function durationOf(name: "timeout" | "retention", text: string | undefined, where: string): number | undefined {
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if (duration === undefined || duration < 1)
    throw new Error(`Cannot serve ${where}: the ${name} "${text}" must be a duration like "250ms", "30s" or "7d"`);
  return duration;
}

import type * as z from "zod";
import type { Deep, IsAny, NotJson, Path, Primitive } from "./json-types.ts";
import type { MethodOptions } from "./method.ts";
import type { ObjectClass } from "./object-class.ts";
import type { eventsType, stateType } from "./virtual-object.ts";

/*
 * What a class declares with schemas against what it declares with types. A class that disagrees with itself does not
 * compile where it is served: the error names the class, the method and what is wrong.
 */

/** The state that a class keeps, as its `static state` describes it. */
export type StateOf<Class extends ObjectClass> = z.output<Class["state"]>;

/** Classes as they are, or in place of each that disagrees with itself a sentence that says why. */
export type Checked<Classes extends readonly ObjectClass[]> = {
  readonly [Index in keyof Classes]: [Faults<Classes[Index]>] extends [never] ? Classes[Index] : Faults<Classes[Index]>;
};

/** Why a class disagrees with itself; never when it does not. */
export type Faults<Class extends ObjectClass> =
  | StateFault<Class["type"], Class["state"], InstanceType<Class>>
  | EventsFault<Class["type"], Class["events"], InstanceType<Class>>
  | { [Name in keyof Class["methods"] & string]: MethodFault<Class, Name> }[keyof Class["methods"] & string]
  | LiveFault<Class>
  | { [Name in keyof Class["index"] & string]: IndexFault<Class, Name> }[keyof Class["index"] & string];

type LiveFault<Class extends ObjectClass> = Class["live"] extends { readonly view: (state: infer State) => unknown }
  ? [StateOf<Class>] extends [State]
    ? never
    : `${Class["type"]}: the view of its static live takes another state than its state schema gives`
  : never;

type IndexFault<Class extends ObjectClass, Name extends string> = string extends Name
  ? never
  : Class["index"][Name] extends (state: infer State) => unknown
    ? [StateOf<Class>] extends [State]
      ? never
      : `${Class["type"]}: its index "${Name}" takes another state than its state schema gives`
    : never;

type StateFault<Type extends string, Schema extends z.ZodType, Instance> = Instance extends {
  readonly [stateType]?: infer Optional;
}
  ? unknown extends Optional
    ? never
    : [z.output<Schema>] extends [Exclude<Optional, undefined>]
      ? [Exclude<Optional, undefined>] extends [z.input<Schema>]
        ? Listed<Type, "the type of its state has what its state schema strips", Extra<Optional, z.output<Schema>>>
        : `${Type}: its state schema refuses what the type of its state allows`
      : `${Type}: its state schema gives another state than the type of its state says`
  : never;

type EventsFault<Type extends string, Schemas, Instance> = Instance extends { readonly [eventsType]?: infer Optional }
  ? unknown extends Optional
    ? never
    : [Schemas] extends [Exclude<Optional, undefined>]
      ? never
      : `${Type}: it may emit events that its static events do not declare`
  : never;

type MethodFault<Class extends ObjectClass, Name extends string> = string extends Name
  ? never
  : Name extends keyof InstanceType<Class>
    ? InstanceType<Class>[Name] extends (...parameters: infer Parameters) => infer Response
      ?
          | ParameterFault<`${Class["type"]}.${Name}`, Class["methods"][Name], Parameters>
          | ResponseFault<`${Class["type"]}.${Name}`, Awaited<Response>>
      : `${Class["type"]}.${Name}: it is declared in methods, but is no method`
    : `${Class["type"]}.${Name}: it is declared in methods, but the class has no such public method`;

type ParameterFault<
  Where extends string,
  Method extends MethodOptions | undefined,
  Parameters extends readonly unknown[],
> = Method extends { readonly request: infer Schema extends z.ZodType }
  ? Parameters extends readonly []
    ? never
    : Parameters["length"] extends 0 | 1
      ? [z.output<Schema>] extends [Parameters[0]]
        ? Listed<Where, "its parameter has what its request schema strips", Extra<Parameters[0], z.output<Schema>>>
        : `${Where}: its request schema gives another request than its parameter takes`
      : `${Where}: a method has one parameter, its request`
  : Parameters extends readonly []
    ? never
    : `${Where}: it has a parameter, but declares no request schema`;

type ResponseFault<Where extends string, Response> = Listed<Where, "its response is not JSON", NotJson<Response>>;

/** A sentence with the places that it is about; never when there are none. */
type Listed<Where extends string, Fault extends string, Place> = [Place] extends [never]
  ? never
  : `${Where}: ${Fault}: ${Place & string}`;

type KeysOf<Union> = Union extends object ? keyof Union : never;
type MemberOf<Union, Key> = Union extends object ? (Key extends keyof Union ? Union[Key] : never) : never;
/** Paths of members that `Type` has and `Known` does not; of index signatures nothing is said. */
type Extra<Type, Known, Level extends 0[] = []> = Level["length"] extends Deep
  ? never
  : IsAny<Type> extends true
    ? never
    : IsAny<Known> extends true
      ? never
      : Type extends Primitive
        ? never
        : Type extends readonly (infer Item)[]
          ? Known extends readonly (infer KnownItem)[]
            ? Path<"[]", Extra<Item, KnownItem, [...Level, 0]>>
            : never
          : Type extends object
            ? {
                [Key in keyof Type]-?: number extends Key
                  ? never
                  : string extends Key
                    ? string extends KeysOf<Known>
                      ? Path<"{}", Extra<Type[Key], MemberOf<Known, Key>, [...Level, 0]>>
                      : never
                    : string extends KeysOf<Known>
                      ? never
                      : Key extends KeysOf<Known>
                        ? Path<Key, Extra<Type[Key], MemberOf<Known, Key>, [...Level, 0]>>
                        : Path<Key, "">;
              }[keyof Type]
            : never;

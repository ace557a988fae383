/* What JSON makes of a value, as types; `json.ts` does it to values. */

export type IsAny<T> = 0 extends 1 & T ? true : false;
export type Primitive = string | number | boolean | null | undefined;
/** Levels that are looked at: types may be recursive. */
export type Deep = 6;
export type Path<Key, Rest> = Key extends string | number
  ? Rest extends ""
    ? `${Key}`
    : `${Key}.${Rest & string}`
  : never;

/** Paths of what JSON drops, changes or refuses in a value: functions, and with them dates, maps and other instances. */
export type NotJson<Type, Level extends 0[] = []> = Level["length"] extends Deep
  ? never
  : IsAny<Type> extends true
    ? never
    : Type extends Primitive
      ? never
      : Type extends bigint | symbol | ((...parameters: never[]) => unknown)
        ? "(the value)"
        : Type extends readonly (infer Item)[]
          ? undefined extends Item
            ? unknown extends Item
              ? never
              : "[].(undefined)"
            : Path<"[]", NotJson<Item, [...Level, 0]>>
          : Type extends
                | { toJSON(...parameters: never[]): unknown }
                | ReadonlyMap<unknown, unknown>
                | ReadonlySet<unknown>
            ? "(an instance of a class)"
            : Type extends object
              ? { [Key in keyof Type]-?: Path<Key, NotJson<Type[Key], [...Level, 0]>> }[keyof Type]
              : never;

/** What a caller gets of a response: `undefined` becomes null, members that are `undefined` are left out. */
export type JsonResponse<Type> = Type extends void ? null : JsonOf<Type>;

type JsonOf<Type> =
  IsAny<Type> extends true
    ? Type
    : Type extends Primitive
      ? Type
      : Type extends readonly unknown[]
        ? { [Index in keyof Type]: JsonOf<Type[Index]> }
        : Type extends object
          ? Flat<
              { [Key in keyof Type as undefined extends Type[Key] ? never : Key]: JsonOf<Type[Key]> } & {
                [Key in keyof Type as undefined extends Type[Key] ? Key : never]?: JsonOf<
                  Exclude<Type[Key], undefined>
                >;
              }
            >
          : Type;

type Flat<Type> = { [Key in keyof Type]: Type[Key] };

import type { JsonSchema as Known } from "../sample-value.ts";

/** A JSON Schema, as far as Python's types can say it. */
export interface JsonSchema extends Known {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly description?: string;
}

const REFERENCE = "#/components/schemas/";
const PLAIN: Readonly<Record<string, string>> = {
  string: "str",
  integer: "int",
  number: "float",
  boolean: "bool",
  null: "None",
};

/** Python types for JSON Schemas: an expression for each, and a `TypedDict` for each object with members. */
export class PythonTypes {
  readonly #schemas: Readonly<Record<string, JsonSchema>>;
  /** Definitions by the names they have in Python; a name that is taken and not yet defined has an empty one. */
  readonly #defined = new Map<string, string>();
  readonly #named = new Map<string, string>();

  /** @param schemas of the document's components; only what methods need is defined */
  constructor(schemas: Readonly<Record<string, JsonSchema>>) {
    this.#schemas = schemas;
  }

  /** Lines that define what the expressions name. */
  get definitions(): readonly string[] {
    return [...this.#defined.values()];
  }

  /** @param name for a `TypedDict`, should there have to be one */
  expression(schema: JsonSchema, name: string): string {
    if (schema.$ref !== undefined) return this.#reference(schema.$ref);
    const values = schema.const !== undefined ? [schema.const] : schema.enum;
    if (values !== undefined) return literal(values);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices !== undefined) return union(choices.map((choice, at) => this.expression(choice, `${name}${at + 1}`)));
    if (schema.allOf !== undefined || schema.type === undefined) return "Any";
    const types = typeof schema.type === "string" ? [schema.type] : schema.type;
    return union(types.map((type) => this.#ofType(type, schema, name)));
  }

  #ofType(type: string, schema: JsonSchema, name: string): string {
    if (type === "array") {
      return schema.items === undefined ? "list[Any]" : `list[${this.expression(schema.items, `${name}Item`)}]`;
    }
    if (type !== "object") return PLAIN[type] ?? "Any";
    if (Object.keys(schema.properties ?? {}).length > 0) return this.#dictionary(schema, name);
    const { additionalProperties: others } = schema;
    return `dict[str, ${typeof others === "object" ? this.expression(others, `${name}Value`) : "Any"}]`;
  }

  #reference(reference: string): string {
    const id = reference.startsWith(REFERENCE) ? reference.slice(REFERENCE.length) : undefined;
    const schema = id === undefined ? undefined : this.#schemas[id];
    if (id === undefined || schema === undefined) return "Any";
    const known = this.#named.get(id);
    if (known !== undefined) return known;
    const name = this.#free(className(id));
    this.#named.set(id, name);
    // One that refers to itself finds its name.
    this.#defined.set(name, "");
    const isObject = schema.type === "object" && Object.keys(schema.properties ?? {}).length > 0;
    if (isObject) this.#define(schema, name);
    else this.#defined.set(name, `${name}: TypeAlias = ${JSON.stringify(this.expression(schema, name))}`);
    return name;
  }

  #dictionary(schema: JsonSchema, wanted: string): string {
    const name = this.#free(wanted);
    this.#defined.set(name, "");
    this.#define(schema, name);
    return name;
  }

  #define({ properties = {}, required = [] }: JsonSchema, name: string): void {
    const members = Object.entries(properties).map(([member, schema]) => {
      const type = this.expression(schema, `${name}${className(member)}`);
      const said = required.includes(member) ? type : `NotRequired[${type}]`;
      return `    ${JSON.stringify(member)}: ${JSON.stringify(said)},`;
    });
    this.#defined.set(
      name,
      [`${name} = TypedDict(`, `    "${name}",`, "    {", ...members.map((line) => `    ${line}`), "    },", ")"].join(
        "\n",
      ),
    );
  }

  #free(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#defined.has(name); n++) name = `${wanted}${n}`;
    return name;
  }
}

/** A name for a class: `chat-room.say` → `ChatRoomSay`. */
export function className(text: string): string {
  const name = text
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join("");
  return /^[A-Z]/.test(name) ? name : `T${name}`;
}

/** A name for a function: `getBalance` → `get_balance`. */
export function functionName(text: string): string {
  const name = text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
  const whole = /^[a-z_]/.test(name) ? name : `_${name}`;
  return KEYWORDS.has(whole) ? `${whole}_` : whole;
}

const KEYWORDS = new Set(
  `and as assert async await break class continue def del elif else except finally for from global if import in is lambda
  nonlocal not or pass raise return try while with yield none true false match case type`.split(/\s+/),
);

function union(types: readonly string[]): string {
  const all = [...new Set(types)];
  return all.includes("Any") || all.length === 0 ? "Any" : all.join(" | ");
}

function literal(values: readonly unknown[]): string {
  const said = values.map((value) => {
    if (value === null) return "None";
    if (typeof value === "boolean") return value ? "True" : "False";
    return typeof value === "string" || Number.isInteger(value) ? JSON.stringify(value) : undefined;
  });
  return said.includes(undefined) ? "Any" : `Literal[${said.join(", ")}]`;
}

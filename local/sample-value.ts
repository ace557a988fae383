/** A JSON Schema, as far as it is looked at here. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
}

/** Finds what a `$ref` names. */
export type Resolve = (reference: string) => JsonSchema | undefined;

/** What no value can be made up for. */
export const NO_SAMPLE = Symbol("no sample");

const DEEPEST = 8;

const OF_FORMAT: Readonly<Record<string, string>> = {
  email: "ann@example.com",
  uuid: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  uri: "https://example.com",
  date: "2026-01-01",
  time: "12:00:00",
  "date-time": "2026-01-01T12:00:00Z",
};

/** The smallest value that fits a schema, as a person would write it; {@link NO_SAMPLE} where that takes more than a look. */
export function sampleOf(schema: JsonSchema, resolve: Resolve, depth = 0): unknown {
  if (depth > DEEPEST) return NO_SAMPLE;
  const within = (inner: JsonSchema): unknown => sampleOf(inner, resolve, depth + 1);
  const given = [schema.const, schema.examples?.[0], schema.default, schema.enum?.[0]].find(
    (value) => value !== undefined,
  );
  if (given !== undefined) return given;
  if (schema.$ref !== undefined) {
    const named = resolve(schema.$ref);
    return named === undefined ? NO_SAMPLE : within(named);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(within).find((value) => value !== NO_SAMPLE) ?? NO_SAMPLE;
  if (schema.allOf !== undefined) return NO_SAMPLE;
  switch (typeof schema.type === "object" ? schema.type[0] : schema.type) {
    case "object":
      return sampleObject(schema, within);
    case "array":
      return sampleArray(schema, within);
    case "string":
      return sampleText(schema);
    case "integer":
    case "number":
      return sampleNumber(schema);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return NO_SAMPLE;
  }
}

function sampleObject({ properties = {}, required = [] }: JsonSchema, within: (inner: JsonSchema) => unknown): unknown {
  const members = required.map((name): [string, unknown] => [name, within(properties[name] ?? {})]);
  return members.some(([, value]) => value === NO_SAMPLE) ? NO_SAMPLE : Object.fromEntries(members);
}

function sampleArray({ items = {}, minItems = 0 }: JsonSchema, within: (inner: JsonSchema) => unknown): unknown {
  if (minItems === 0) return [];
  const one = within(items);
  return one === NO_SAMPLE ? NO_SAMPLE : Array.from({ length: minItems }, () => one);
}

function sampleText({ format, pattern, minLength = 0, maxLength = 100 }: JsonSchema): unknown {
  if (format !== undefined) return OF_FORMAT[format] ?? NO_SAMPLE;
  if (pattern !== undefined) return NO_SAMPLE;
  return "hello".slice(0, maxLength).padEnd(minLength, "o");
}

function sampleNumber(schema: JsonSchema): unknown {
  const { minimum: least = -Infinity, exclusiveMinimum: above = -Infinity, multipleOf: step = 1 } = schema;
  const { maximum: most = Infinity, exclusiveMaximum: below = Infinity } = schema;
  const first = Math.ceil(Math.max(least, above) / step) * step;
  const fits = (value: number) =>
    value >= least && value > above && value <= most && value < below && Number.isInteger(value / step);
  return [1, first, first + step, most, below - step, 0].find(fits) ?? NO_SAMPLE;
}

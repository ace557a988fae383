import * as z from "zod";
import { about } from "../schemas.ts";

export type Json = Record<string, unknown>;

/** Collects the schemas of a document. What it hands out refers to them. */
export class Schemas {
  readonly components: Json = {};

  /** One of Edgeverse's own: those with an `id` become components. */
  own(schema: z.ZodType): Json {
    const { own, definitions } = convert(schema, about);
    const name = (id: string) => id;
    Object.assign(this.components, relinked(definitions, name, undefined));
    return relinked(own, name, undefined) as Json;
  }

  /** One of an author's: a component called `name`, and all it defines is called `name.…`, whatever ids it has. */
  authors(schema: z.ZodType, name: string): Json {
    const { own, definitions } = convert(schema, z.globalRegistry);
    const names = new Map<string, string>();
    for (const id of Object.keys(definitions)) {
      const wanted = `${name}.${id.replaceAll(/[^A-Za-z0-9._-]/g, "_")}`;
      const taken = wanted in this.components || [...names.values()].includes(wanted);
      names.set(id, taken ? `${wanted}.${names.size}` : wanted);
    }
    const rename = (id: string) => names.get(id) ?? id;
    this.components[name] = relinked(own, rename, name);
    for (const [id, definition] of Object.entries(definitions)) {
      this.components[rename(id)] = relinked(definition, rename, name);
    }
    return { $ref: reference(name) };
  }
}

interface Converted {
  readonly own: Json;
  readonly definitions: Json;
}

/** What a client sends of `schema`, as JSON Schema. What that can't express is `{}`: anything. */
function convert(schema: z.ZodType, metadata: z.core.$ZodRegistry<object>): Converted {
  try {
    const {
      $schema: _,
      $defs = {},
      ...own
    } = z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      metadata,
      override,
    });
    return { own, definitions: $defs };
  } catch {
    return { own: {}, definitions: {} };
  }
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>["override"]>;

const override: Override = ({ zodSchema: { _zod }, jsonSchema }) => {
  // Zod leaves out the default of what it transforms, such as a query's numbers: it is the default of the output.
  if (_zod.def.type === "default" && jsonSchema.type === "integer") {
    jsonSchema.default = (_zod.def as z.core.$ZodDefaultDef).defaultValue as number;
  }
  // A format says it shorter than the pattern behind it, and every integer of JSON is a safe one.
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};

const LOCAL = "#/$defs/";

function reference(component: string): string {
  return `#/components/schemas/${component}`;
}

/** A copy whose references name components. @param root the component that `#` is */
function relinked(value: unknown, rename: (id: string) => string, root: string | undefined): unknown {
  if (Array.isArray(value)) return value.map((member) => relinked(member, rename, root));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (key !== "$ref" || typeof member !== "string") return [key, relinked(member, rename, root)];
      if (member === "#" && root !== undefined) return [key, reference(root)];
      if (!member.startsWith(LOCAL)) return [key, member];
      const id = member.slice(LOCAL.length).replaceAll("~1", "/").replaceAll("~0", "~");
      return [key, reference(rename(id))];
    }),
  );
}

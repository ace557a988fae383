import { type JsonSchema, NO_SAMPLE, sampleOf } from "./sample-value.ts";

/** Where the HTTP interface of a host is, and a call of one of its objects to begin with. */
export interface ServedApi {
  readonly openapi: string;
  /** A command line; undefined when no call can be made up. */
  readonly call: string | undefined;
}

/** As much of the OpenAPI document as is looked at. */
interface Document {
  readonly info?: { readonly title?: string };
  readonly paths?: Readonly<Record<string, { readonly post?: Operation }>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, JsonSchema>> };
}

interface Operation {
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: { readonly "application/json": { readonly schema: JsonSchema } };
  };
}

const PATIENCE = 5_000;
/** The path of a method of a type, as the document has it. */
const METHOD = /^\/api\/v1\/objects\/call\/[^/{]+\/\{id\}\/[^/{]+$/;
const REFERENCE = "#/components/schemas/";

/**
 * Asks a worker for its OpenAPI document; undefined when it has none at the usual place, which is its author's to choose.
 * @param url where the worker listens
 */
export async function lookAtApi(url: string): Promise<ServedApi | undefined> {
  const openapi = `${url}/api/v1/openapi.json`;
  try {
    const response = await fetch(openapi, { signal: AbortSignal.timeout(PATIENCE) });
    const document = (await response.json()) as Document;
    return document.info?.title === "Edgeverse" ? { openapi, call: callOf(url, document) } : undefined;
  } catch {
    return undefined;
  }
}

/** The first call of a method that a request can be made up for. */
export function callOf(url: string, { paths = {}, components = {} }: Document): string | undefined {
  const { schemas = {} } = components;
  const resolve = (reference: string): JsonSchema | undefined =>
    reference.startsWith(REFERENCE) ? schemas[reference.slice(REFERENCE.length)] : undefined;
  for (const [path, { post }] of Object.entries(paths)) {
    if (!METHOD.test(path)) continue;
    const command = `curl -X POST ${url}${path.replace("{id}", "hello")}`;
    const body = post?.requestBody;
    if (body === undefined || body.required !== true) return command;
    const sample = sampleOf(body.content["application/json"].schema, resolve);
    if (sample !== NO_SAMPLE) return `${command} -d '${JSON.stringify(sample).replaceAll("'", "'\\''")}'`;
  }
  return undefined;
}

import { className, functionName, type JsonSchema, PythonTypes } from "./python-types.ts";

/** As much of a host's OpenAPI document as a client is made of. */
export interface ApiDocument {
  readonly info?: { readonly title?: string };
  readonly paths?: Readonly<Record<string, { readonly post?: MethodOperation }>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, JsonSchema>> };
}

interface MethodOperation {
  readonly summary?: string;
  readonly "x-edgeverse-readonly"?: boolean;
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: { readonly "application/json": { readonly schema: JsonSchema } };
  };
}

interface Method {
  readonly name: string;
  readonly operation: MethodOperation;
}

/** The path of a method of a type, as the document has it. */
const METHOD = /\/api\/v1\/objects\/call\/([^/{]+)\/\{id\}\/([^/{]+)$/;
/** What the class of clients has already. */
const TAKEN = ["invoke", "call_status"];

/**
 * A module of Python: `runtime`, with a class for each type of the document, and a function for each of its methods.
 *
 * @param runtime the part that is the same for every host
 */
export function pythonClient(document: ApiDocument, runtime: string): string {
  const types = new PythonTypes(document.components?.schemas ?? {});
  const classNames = new Names(["Client", "Edgeverse", "EdgeverseError"]);
  const functionNames = new Names(TAKEN);
  const served = [...methodsOf(document)].map(([type, methods]) => ({
    type,
    methods,
    className: classNames.next(className(type)),
    functionName: functionNames.next(functionName(type)),
  }));
  const classes = served.map((one) => typeClass(one.type, one.className, one.methods, types));
  const accessors = served.map(
    (one) =>
      `    def ${one.functionName}(self, id: str) -> "${one.className}":\n        return ${one.className}(self, id)\n`,
  );
  const host = ["class Edgeverse(Client):", '    """The objects of the host, by their types."""\n', ...accessors];
  return `${[runtime.trimEnd(), ...types.definitions, ...classes, host.join("\n").trimEnd()].join("\n\n\n")}\n`;
}

function methodsOf({ paths = {} }: ApiDocument): Map<string, Method[]> {
  const types = new Map<string, Method[]>();
  for (const [path, { post }] of Object.entries(paths)) {
    const [, type, name] = METHOD.exec(path) ?? [];
    if (type === undefined || name === undefined || post === undefined) continue;
    types.set(type, [...(types.get(type) ?? []), { name, operation: post }]);
  }
  return types;
}

function typeClass(type: string, name: string, methods: readonly Method[], types: PythonTypes): string {
  const names = new Names(["_client", "_id"]);
  const functions = methods.map((method) =>
    methodFunction(type, name, method, names.next(functionName(method.name)), types),
  );
  return [
    `class ${name}:`,
    `    """${docstring(`The ${type} with this id`)}."""`,
    "",
    "    def __init__(self, client: Client, id: str) -> None:",
    "        self._client = client",
    "        self._id = id",
    ...functions,
  ].join("\n");
}

function methodFunction(
  type: string,
  owner: string,
  { name, operation }: Method,
  as: string,
  types: PythonTypes,
): string {
  const readonly = operation["x-edgeverse-readonly"] === true;
  const body = operation.requestBody;
  const schema = body?.content["application/json"].schema.properties?.["request"];
  const request = schema === undefined ? undefined : types.expression(schema, `${owner}${className(name)}`);
  const required = body?.required === true;
  const parameters = [
    "self",
    ...(request === undefined ? [] : [required ? `request: "${request}"` : `request: "${optional(request)}" = None`]),
    "*",
    ...(readonly ? [] : ["reliable: bool = False", "call_id: str | None = None"]),
    "timeout: float | None = None",
  ];
  const given = [
    JSON.stringify(type),
    "self._id",
    JSON.stringify(name),
    ...(request === undefined ? [] : ["request"]),
    ...(readonly ? ["readonly=True"] : ["reliable=reliable", "call_id=call_id"]),
    "timeout=timeout",
  ];
  return [
    "",
    `    def ${as}(`,
    ...parameters.map((parameter) => `        ${parameter},`),
    "    ) -> Any:",
    `        """${docstring(operation.summary ?? `Call ${name}`)}."""`,
    `        return self._client.invoke(${given.join(", ")})`,
  ].join("\n");
}

function optional(type: string): string {
  return type === "Any" ? type : `${type} | None`;
}

function docstring(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', "'").replaceAll(/\s+/g, " ");
}

/** Names that differ from each other. */
class Names {
  readonly #taken: Set<string>;

  constructor(taken: readonly string[]) {
    this.#taken = new Set(taken);
  }

  next(wanted: string): string {
    let name = wanted;
    while (this.#taken.has(name)) name = `${name}_`;
    this.#taken.add(name);
    return name;
  }
}

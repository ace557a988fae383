import type { MethodDefinition, TypeDefinition } from "../../object/registry.ts";
import type { Json, Schemas } from "./json-schema.ts";
import { accepts, type Operation, requestBody } from "./operation.ts";

/** The tag of a type's methods. No tag of Edgeverse's own is like it. */
export function typeTag(type: string): string {
  return `${type} objects`;
}

/** A path for each method of the types: the call route, with the schema of the method's request. */
export function methodPaths(call: Operation, types: readonly TypeDefinition[], schemas: Schemas): Record<string, Json> {
  const paths: Record<string, Json> = {};
  for (const { type, methods } of types) {
    for (const method of methods.values()) {
      paths[`/api/v1/objects/call/${type}/{id}/${method.name}`] = {
        post: methodOperation(call, type, method, schemas),
      };
    }
  }
  return paths;
}

function methodOperation(call: Operation, type: string, method: MethodDefinition, schemas: Schemas): Json {
  const { name, request, readonly } = method;
  const { requestBody: _, ...common } = call;
  const own = {
    ...common,
    operationId: `call.${type}.${name}`,
    tags: [typeTag(type)],
    summary: `Call ${name} of a ${type}`,
    description: readonly ? "It is readonly: it changes nothing." : "It may change the object.",
    ...(readonly ? { "x-edgeverse-readonly": true } : {}),
    parameters: call.parameters.filter(({ name }) => name !== "type" && name !== "method"),
  };
  if (request === undefined) return own;
  const none = accepts(request, undefined);
  const body = {
    type: "object",
    properties: { request: schemas.authors(request, `${type}.${name}`) },
    ...(none ? {} : { required: ["request"] }),
    additionalProperties: false,
  };
  return { ...own, requestBody: requestBody(body, none) };
}

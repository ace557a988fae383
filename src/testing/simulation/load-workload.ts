import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Workload } from "./workload.ts";

/**
 * The default export of a module that Node can import.
 *
 * @param module a path, from the working directory, or a URL of a file
 * @throws Error when the module can't be imported, or its default export is no workload
 */
export async function loadWorkload(module: string): Promise<Workload> {
  const { default: workload } = (await import(urlOf(module))) as { readonly default?: unknown };
  if (isWorkload(workload)) return workload;
  throw new Error(`${module} must export a workload by default: { objects, calls, call, check }`);
}

export function urlOf(module: string): string {
  return module.startsWith("file:") ? module : pathToFileURL(resolve(module)).href;
}

function isWorkload(value: unknown): value is Workload {
  if (typeof value !== "object" || value === null) return false;
  const { objects, calls, call } = value as Partial<Record<keyof Workload, unknown>>;
  return Array.isArray(objects) && Number.isInteger(calls) && typeof call === "function";
}

import { createRequire } from "node:module";
import { HostError } from "../host-error.ts";

/**
 * Checks that a package is there which only some hosts need, and so comes with none.
 * @param need what needs it, at the beginning of a sentence
 * @param otherwise what can be done instead of installing it
 * @throws HostError when it is not there
 */
export function needPackage(name: string, need: string, otherwise = ""): void {
  try {
    createRequire(import.meta.url).resolve(name);
  } catch {
    throw new HostError(`${need} needs the package ${name}: run "npm install --save-dev ${name}"${otherwise}`);
  }
}

import { relative } from "node:path";

/** A path as a person would type it here: relative when it is below the working directory. */
export function shortPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === "" || near.startsWith("..") ? path : near;
}

const PLACES: readonly string[] = ["/healthz", "/ready", "/api/v1/openapi.json"];
const PREFIXES: readonly string[] = ["/api/v1/objects/", "/api/v1/events/", "/admin/v1/"];

/**
 * The base path, if it can be one: empty, or like `/edge` or `/apps/edge`.
 * @throws Error that says what is wrong with it
 */
export function checkBasePath(basePath: string): string {
  if (/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)*$/.test(basePath)) return basePath;
  throw new Error(
    `Cannot use the base path ${JSON.stringify(basePath)}: it must be like "/edge", of letters, digits, ".", "_", "~" and "-", without a slash at its end`,
  );
}

/** What is left of a path below the base path; undefined for a path that is not below it. Both as they were sent. */
export function pathBelow(basePath: string, path: string): string | undefined {
  if (basePath === "") return path;
  if (path === basePath) return "/";
  return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : undefined;
}

/**
 * Whether a path of a shared Worker is Edgeverse's ([HOST1]): everything below the base path, or without one those of its
 * routes, also such as nothing serves. Takes the path as it was sent, like the routes do.
 */
export function isOurs(basePath: string, path: string): boolean {
  if (basePath !== "") return pathBelow(basePath, path) !== undefined;
  return PLACES.includes(path) || PREFIXES.some((prefix) => path.startsWith(prefix));
}

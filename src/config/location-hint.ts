/**
 * Where Cloudflare can be asked to make a Durable Object. The platform refuses any other text, and then every call to that
 * partition fails: so a wrong one is refused where it is given.
 */
export const LOCATION_HINTS = [
  "wnam",
  "enam",
  "sam",
  "weur",
  "eeur",
  "apac",
  "apac-ne",
  "apac-se",
  "oc",
  "afr",
  "me",
] as const;

export type LocationHint = (typeof LOCATION_HINTS)[number];

export function isLocationHint(text: string): text is LocationHint {
  return (LOCATION_HINTS as readonly string[]).includes(text);
}

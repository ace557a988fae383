import { HostError } from "./host-error.ts";

/**
 * Writes variables as a file that wrangler reads back to the same values. Its reader takes quoted text as it is, but expands `$NAME` in any
 * quotes, so a dollar is escaped.
 * @throws HostError for a value that no quotes can hold
 */
export function dotenv(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      const quote = ["'", "`"].find((candidate) => !value.includes(candidate));
      if (quote === undefined)
        throw new HostError(`${name} holds both ' and \`: wrangler dev can't be given that value`);
      return `${name}=${quote}${value.replaceAll("$", "\\$")}${quote}\n`;
    })
    .join("");
}

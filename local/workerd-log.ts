/** What workerd writes, a line each. Only what workerd itself has to say has a `source`; the rest is the worker's `console`. */
interface LogRecord {
  readonly level: string;
  readonly message: string;
  readonly source?: string;
}

/** In its verbose log only: where an exception that nobody caught came from. */
const UNCAUGHT = /^uncaught exception; source = .*?; stack = /;
/** The same exception once more, on its way out, without its stack. */
const SAID_ALREADY = /^Uncaught exception: .*\bjsg\./;

/** Places in workerd itself. */
const OWN_STACK = /\nstack: .*/s;

/** What a line of workerd's verbose, structured log has for a person; undefined when nothing. */
export function readWorkerdLog(line: string): string | undefined {
  const record = parse(line);
  if (record === undefined) return line; // A crash of workerd itself is reported in plain text.
  const { level, message, source } = record;
  if (source === undefined) return message;
  if (UNCAUGHT.test(message)) return message.replace(UNCAUGHT, "Uncaught ");
  return level === "info" || SAID_ALREADY.test(message) ? undefined : `workerd: ${message.replace(OWN_STACK, "")}`;
}

function parse(line: string): LogRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const record = JSON.parse(line) as Partial<LogRecord>;
    return typeof record.message === "string" && typeof record.level === "string" ? (record as LogRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** One field of a cron expression: the smallest and largest value, and names for them, the first for `min`. */
interface Field {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const FIELDS = [
  { title: "minute", min: 0, max: 59, names: [] },
  { title: "hour", min: 0, max: 23, names: [] },
  { title: "day of month", min: 1, max: 31, names: [] },
  {
    title: "month",
    min: 1,
    max: 12,
    names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
  },
  // As Cloudflare counts: Sunday is 1. (Unix cron says 0 or 7.)
  { title: "day of week", min: 1, max: 7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] },
] as const satisfies readonly Field[];

/**
 * Says whether a cron expression is due in the minute of `date`, in UTC, as Cloudflare reads it: five fields of `*`, numbers, names,
 * ranges, lists and steps. When both day fields are restricted, either is enough.
 * @throws RangeError when the expression can't be read (`L`, `W` and `#` are not supported here)
 */
export function matches(expression: string, date: Date): boolean {
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== FIELDS.length)
    throw new RangeError(`Cannot read cron "${expression}": it has ${texts.length} fields, not 5`);
  const now = [
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth() + 1,
    date.getUTCDay() + 1,
  ];
  const [minute, hour, day, month, weekday] = FIELDS.map((field, index) =>
    fieldMatches(expression, texts[index]!, field, now[index]!),
  );
  const eitherDay = texts[2] !== "*" && texts[4] !== "*";
  return minute! && hour! && month! && (eitherDay ? day! || weekday! : day! && weekday!);
}

// Every part is read, also after one that matches, so that a mistake is found at the first check and not months later.
function fieldMatches(expression: string, text: string, field: Field, now: number): boolean {
  return text.split(",").filter((part) => partMatches(expression, part, field, now)).length > 0;
}

function partMatches(expression: string, part: string, field: Field, now: number): boolean {
  const fail = (): never => {
    throw new RangeError(`Cannot read cron "${expression}": "${part}" is not a ${field.title}`);
  };
  const value = (text: string): number => {
    const named = field.names.indexOf(text.toUpperCase());
    const number = named >= 0 ? named + field.min : /^\d{1,2}$/.test(text) ? Number(text) : fail();
    return number >= field.min && number <= field.max ? number : fail();
  };
  const [, range, from, to, stepText] = /^(\*|(\w+)(?:-(\w+))?)(?:\/(\d{1,2}))?$/.exec(part) ?? fail();
  const step = stepText === undefined ? 1 : Number(stepText);
  if (step === 0) fail();
  const first = range === "*" ? field.min : value(from!);
  // "5/10" means from 5 on, every 10; "5" alone means 5.
  const last = to !== undefined ? value(to) : range === "*" || stepText !== undefined ? field.max : first;
  if (last < first) fail();
  return now >= first && now <= last && (now - first) % step === 0;
}

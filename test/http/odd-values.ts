/** Chance that comes out the same for the same seed (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to below `limit`. */
  readonly below = (limit: number): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };

  /** True once in `count` times. */
  readonly one = (count: number): boolean => this.below(count) === 0;

  readonly pick = <Item>(items: readonly Item[]): Item => items[this.below(items.length)] as Item;
}

const SEGMENTS = [
  "__proto__",
  "constructor",
  "%00",
  "%",
  "%zz",
  "%ff",
  "%C0%AF",
  "%2F",
  "%2e%2e",
  "%E2%82%AC",
  "%F0%9F%98%80",
  "%ED%A0%80",
  "",
  ".",
  "..",
  "a%0Ab",
  ";x=1",
  "shard%235%2Fx",
  "shard%2399999%2Fx",
  "partition%23p1%2Fx",
  "partition%23nobody%2Fx",
  "-1",
  "1e9",
  "Counter%20",
  "counter",
  "{type}",
];

/** A segment of a path, as it stands in a URL. */
export function oddSegment({ pick, one, below }: Chance): string {
  if (one(12)) return "x".repeat(below(3_000));
  if (one(4))
    return encodeURIComponent(String.fromCodePoint(...Array.from({ length: 1 + below(6) }, () => below(0xd7ff))));
  return pick(SEGMENTS);
}

const TEXTS = ["", " ", "0", "-1", "1e400", "true", "null", "[]", "{}", '"', "\\", "../..", "__proto__", "constructor"];
const MORE = [
  "1 OR 1=1",
  "$&{7*7}",
  "<script>",
  "\u0000",
  "\u202e",
  "\ud800",
  "é",
  "NaN",
  "a,b",
  "k=v",
  "p1",
  "Counter",
];

/** A text that nobody expects. */
export function oddText({ pick, one, below }: Chance): string {
  if (one(15)) return "y".repeat(below(20_000));
  return pick(one(2) ? TEXTS : MORE);
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const CLAIMS = { sub: "root", iss: "https://id.test", aud: "shop", exp: 9_999_999_999, roles: ["admin"] };

/** An `Authorization` header that opens nothing: a forged token, a piece of a good one, or another kind. */
export function oddToken(chance: Chance, good: readonly string[]): string {
  const { pick, below, one } = chance;
  const [token = "nobody"] = good.length === 0 ? [] : [pick(good)];
  return pick([
    () => `Bearer ${part({ alg: "none" })}.${part(CLAIMS)}.`,
    () => `Bearer ${part({ alg: "HS256" })}.${part(CLAIMS)}.${part({})}`,
    () => `Bearer ${part({ alg: "HS256", crit: ["x"], jwk: {} })}.${part(CLAIMS)}.AAAA`,
    () =>
      `Bearer ${part({ alg: pick(["RS256", "nOnE", "", "__proto__"]) })}.${part({ ...CLAIMS, exp: oddText(chance) })}.x`,
    () => `Bearer ${token.slice(0, below(token.length))}`,
    () => `Bearer ${token}x`,
    () => `Bearer  ${token} `,
    () => `Basic ${token}`,
    () => `Bearer ${one(2) ? "." : ".."}`,
    () => "Bearer evk_000000000000_AAAA",
    () => oddText(chance),
  ])();
}

const utf8 = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const BOM = [0xef, 0xbb, 0xbf];

/** The bytes of a body: mostly the text as it is. */
export function oddBytes({ pick, one, below }: Chance, text: string): Uint8Array<ArrayBuffer> {
  const bytes = utf8(text);
  if (!one(6)) return bytes;
  const at = below(bytes.length + 1);
  const insert = (...more: number[]) => new Uint8Array([...bytes.slice(0, at), ...more, ...bytes.slice(at)]);
  return pick<() => Uint8Array<ArrayBuffer>>([
    () => bytes.slice(0, at),
    () => insert(0xff),
    () => insert(0xc3, 0x28),
    () => insert(0),
    () => insert(...utf8(pick(['"', "{", "}", "[", "]", ",", ":", "1e999", "-", "\\", "\\ud800"]))),
    () => new Uint8Array([...BOM, ...bytes]),
    () => utf8("[".repeat(below(4_000))),
    () => utf8(`{"request":${"[".repeat(200)}${"]".repeat(200)}}`),
    () => utf8('{"request":1e999}'),
    () => utf8(`{"request":{"__proto__":{"polluted":true}}}`),
    () => utf8(`"${"z".repeat(below(100_000))}"`),
  ])();
}

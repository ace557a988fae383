import type { Identity } from "../access/identity.ts";

/** What a client is called where what it uses is counted ([LIM2]): by its identity, or else by its address. */
export function clientName(identity: Identity | undefined, address: string | undefined): string {
  return identity === undefined ? `address ${network(address ?? "")}` : `identity ${identity.id}`;
}

/** Who has one address of a /64 of IPv6 has them all: they are one client. */
function network(address: string): string {
  if (!address.includes(":")) return address.slice(0, 64);
  const groups = groupsOf(address);
  if (groups === undefined) return address.slice(0, 64);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** The eight numbers of an IPv6 address (RFC 4291); undefined for what is none. */
function groupsOf(address: string): number[] | undefined {
  const bare = (address.split("%")[0] ?? "").replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const hex = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
    return `${hex(a, b)}:${hex(c, d)}`;
  });
  const halves = bare.split("::");
  if (halves.length > 2) return undefined;
  const [first = [], last = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const zeros = halves.length === 2 ? 8 - first.length - last.length : 0;
  if (zeros < 0) return undefined;
  const texts = [...first, ...new Array<string>(zeros).fill("0"), ...last];
  if (texts.length !== 8 || !texts.every((text) => /^[0-9a-f]{1,4}$/i.test(text))) return undefined;
  return texts.map((text) => Number.parseInt(text, 16));
}

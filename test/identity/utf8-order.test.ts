import { expect, test } from "vitest";
import { compareUtf8 } from "../../src/identity/utf8-order.ts";

/** The ends of every range of characters that UTF-8 or UTF-16 writes in its own way, and what is next to them. */
const EDGES = ["", "\0", "a", "~", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff"].concat(
  [0x10000, 0x10001, 0x103ff, 0x10400, 0x1f600, 0x10fc00, 0x10fffe, 0x10ffff].map((code) => String.fromCodePoint(code)),
);

test("[MIG2] texts are in the order of their bytes in UTF-8, like the rows of the database", () => {
  const texts = EDGES.flatMap((first) => EDGES.map((second) => first + second));
  const byBytes = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right));
  const sign = (left: string) => texts.map((right) => Math.sign(compareUtf8(left, right)));
  for (const left of texts) expect(sign(left)).toEqual(texts.map((right) => byBytes(left, right)));
});

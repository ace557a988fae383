/**
 * Makes a matcher of a text in which `*` stands for any characters, also none; without one the text must be the same. The
 * pieces between are looked for from left to right and none twice, so no text takes long: rules see what clients send.
 *
 * @returns undefined when everything matches
 */
export function glob(pattern: string): ((text: string) => boolean) | undefined {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  const pieces = rest.filter((piece) => piece !== "");
  if (first === "" && last === "" && pieces.length === 0) return undefined;
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const piece of pieces) {
      const found = text.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

export function isLiteral(pattern: string): boolean {
  return !pattern.includes("*");
}

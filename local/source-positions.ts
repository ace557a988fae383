import { readFileSync, statSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { shortPath } from "./short-path.ts";

/**
 * `index.js:14:9`, `/x/worker.js:1:2`, `file:///x/worker.js:1:2`. It begins where a name does, and nowhere within one: else a
 * message of a megabyte without spaces would be read from each of its characters, and the worker wait for its log meanwhile.
 */
const POSITION = /(?<![\w./@%+~-])(?:file:\/\/)?[\w./@%+~-]*\w\.js:(\d+):(\d+)/g;

interface KnownMap {
  readonly modified: number;
  readonly map: SourceMap;
}

/**
 * Turns positions in a bundle, as stack traces have them, into positions in the files its author wrote. It takes the map that lies
 * beside the bundle at that moment, and leaves alone what has none.
 */
export class SourcePositions {
  readonly #folder: string;
  readonly #maps = new Map<string, KnownMap>();

  /** @param folder where bundles lie that a stack trace names without their path */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The text with every position it knows a better one for. */
  translate(text: string): string {
    return text.replace(POSITION, (position, line: string, column: string) => {
      const named = position.slice(0, -`:${line}:${column}`.length);
      const bundle = named.startsWith("file://") ? fileURLToPath(named) : resolve(this.#folder, named);
      return this.#find(bundle, Number(line), Number(column)) ?? position;
    });
  }

  #find(bundle: string, line: number, column: number): string | undefined {
    const origin = this.#mapOf(bundle)?.findOrigin(line, column);
    if (origin === undefined || !("fileName" in origin)) return undefined;
    const file = shortPath(resolve(dirname(bundle), origin.fileName));
    // A log line may be JSON, with the stack inside a quoted text.
    return `${JSON.stringify(file).slice(1, -1)}:${origin.lineNumber}:${origin.columnNumber}`;
  }

  #mapOf(bundle: string): SourceMap | undefined {
    const path = `${bundle}.map`;
    try {
      const { mtimeMs: modified } = statSync(path);
      const known = this.#maps.get(path);
      if (known?.modified === modified) return known.map;
      const map = new SourceMap(JSON.parse(readFileSync(path, "utf8")));
      this.#maps.set(path, { modified, map });
      return map;
    } catch {
      return undefined; // No map, or half a one.
    }
  }
}

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";

/** One small change of a file. */
export interface Mutant {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
}

export interface Instrumented {
  /** Paths and their code with every mutant in it, each behind a switch. */
  readonly code: Readonly<Record<string, string>>;
  readonly mutants: readonly Mutant[];
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** Says why a node of the code, with all in it, is not changed; undefined if it is. */
interface Ignorer {
  shouldIgnore(path: { readonly node: { readonly type: string }; toString(): string }): string | undefined;
}

/** What is used of `@stryker-mutator/instrumenter`, which is not among the project's own packages. */
interface StrykerModule {
  readonly Instrumenter: new (
    logger: object,
  ) => {
    instrument(
      files: readonly { name: string; mutate: true; content: string }[],
      options: { plugins: null; excludedMutations: readonly string[]; ignorers: readonly Ignorer[] },
    ): Promise<{
      files: readonly { name: string; content: string }[];
      mutants: readonly {
        id: string;
        fileName: string;
        /** Set for those that are not to be tried. */
        status?: string;
        mutatorName: string;
        replacement: string;
        location: { start: Position; end: Position };
      }[];
    }>;
  };
}

/** What an error says is for people, and SQL that is empty fails every test. */
const EXCLUDED = ["StringLiteral"];

/** A `default:` that the types say is never reached is there for the compiler. */
const unreachable: Ignorer = {
  shouldIgnore(path) {
    const { type } = path.node;
    if (type !== "FunctionDeclaration" && type !== "SwitchCase") return undefined;
    return /^(function assertNever|default:\s*return assertNever)\b/.test(path.toString()) ? "unreachable" : undefined;
  },
};

/** Puts the mutants of all `paths` into their code, by Stryker as it is installed in `tool`. */
export async function instrument(root: string, tool: string, paths: readonly string[]): Promise<Instrumented> {
  const entry = join(tool, "node_modules/@stryker-mutator/instrumenter/dist/src/index.js");
  const { Instrumenter } = (await import(pathToFileURL(entry).href)) as StrykerModule;
  const silent = { debug: () => {}, info: () => {}, warn: console.warn, isDebugEnabled: () => false };
  const sources = new Map(paths.map((path) => [path, readFileSync(path, "utf8")]));
  const { files, mutants } = await new Instrumenter(silent).instrument(
    [...sources].map(([name, content]) => ({ name, mutate: true, content })),
    { plugins: null, excludedMutations: EXCLUDED, ignorers: [unreachable] },
  );
  return {
    code: Object.fromEntries(files.map(({ name, content }) => [name, content])),
    mutants: mutants
      .filter(({ status }) => status === undefined)
      .map(({ id, fileName, mutatorName, replacement, location: { start, end } }) => ({
        id,
        file: relative(root, fileName),
        line: start.line + 1,
        mutator: mutatorName,
        original: between(sources.get(fileName) ?? "", start, end),
        replacement,
      })),
  };
}

function between(text: string, start: Position, end: Position): string {
  const lines = text.split("\n").slice(start.line, end.line + 1);
  lines[lines.length - 1] = (lines.at(-1) as string).slice(0, end.column);
  lines[0] = (lines[0] as string).slice(start.column);
  return lines.join("\n");
}

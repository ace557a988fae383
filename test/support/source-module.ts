import { parseSync, Visitor } from "rolldown/utils";

export interface Import {
  readonly specifier: string;
  /** Leaves nothing at run time: `import type`, `import { type A }`, `import("…").A`. */
  readonly type: boolean;
}

/** What a TypeScript module imports, and what it uses without importing it. */
export interface SourceModule {
  readonly imports: readonly Import[];
  /** Names that are read, and what is read of them: `fetch`, `Date.now`, `new Date()`. Also names the module itself declares. */
  readonly uses: readonly { readonly what: string; readonly line: number }[];
  readonly hasDefault: boolean;
  /** Lines of `...[a, b]` and `...{ a, b }`: what steers the formatter and says nothing. */
  readonly spreadLiterals: readonly number[];
}

/** @throws Error when it is no TypeScript */
export function readModule(path: string, source: string): SourceModule {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`Cannot parse ${path}: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const uses: { what: string; at: number }[] = [];
  /** Where names stand that are no uses: keys of members. */
  const keys = new Set<number>();
  const spreads: number[] = [];
  let hasDefault = false;
  const lineOf = (at: number) => source.slice(0, at).split("\n").length;

  const key = ({ computed, key }: { computed: boolean; key: { start: number } }) => {
    if (!computed) keys.add(key.start);
  };
  const add = (source: { value: string } | null, kind: string | undefined, kinds: readonly (string | undefined)[]) => {
    if (source === null) return;
    const onlyTypes = kinds.length > 0 && kinds.every((each) => each === "type");
    imports.push({ specifier: source.value, type: kind === "type" || onlyTypes });
  };
  new Visitor({
    ImportDeclaration: ({ source, importKind, specifiers }) =>
      add(
        source,
        importKind,
        specifiers.map((each) => (each.type === "ImportSpecifier" ? each.importKind : undefined)),
      ),
    ExportNamedDeclaration: ({ source, exportKind, specifiers }) => {
      add(
        source,
        exportKind,
        specifiers.map((each) => each.exportKind),
      );
      hasDefault ||= specifiers.some(({ exported }) => "name" in exported && exported.name === "default");
    },
    ExportAllDeclaration: ({ source, exportKind }) => add(source, exportKind, []),
    ExportDefaultDeclaration: () => {
      hasDefault = true;
    },
    ImportExpression: ({ source }) => {
      // What only the running program knows is no name of a file.
      const specifier = source.type === "Literal" ? String(source.value) : "(computed)";
      imports.push({ specifier, type: false });
    },
    TSImportType: ({ source }) => add(source, "type", []),
    MemberExpression: (node) => {
      if (!node.computed) keys.add(node.property.start);
      const property =
        node.property.type === "Literal"
          ? String(node.property.value)
          : source.slice(node.property.start, node.property.end);
      if (node.object.type === "Identifier") uses.push({ what: `${node.object.name}.${property}`, at: node.start });
    },
    NewExpression: ({ callee, arguments: given, start }) => {
      if (callee.type === "Identifier" && given.length === 0) uses.push({ what: `new ${callee.name}()`, at: start });
    },
    Property: (node) => {
      // `{ fetch }` is a key and a use.
      if (!node.shorthand) key(node);
    },
    MethodDefinition: key,
    PropertyDefinition: key,
    TSPropertySignature: key,
    TSMethodSignature: key,
    SpreadElement: ({ argument, start }) => {
      if (argument.type === "ArrayExpression" || argument.type === "ObjectExpression") spreads.push(start);
    },
    Identifier: ({ name, start }) => void uses.push({ what: name, at: start }),
  }).visit(program);

  return {
    imports,
    uses: uses.filter(({ at }) => !keys.has(at)).map(({ what, at }) => ({ what, line: lineOf(at) })),
    hasDefault,
    spreadLiterals: spreads.map(lineOf),
  };
}

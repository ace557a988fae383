import { parseArgs } from "node:util";
import { UsageError } from "./usage-error.ts";

export interface CommandLine {
  /** Where the project goes, as it was typed. */
  readonly folder: string | undefined;
  /** Ask nothing: take the default of what is not given. */
  readonly yes: boolean;
  readonly install: boolean;
  /** A version of edgeverse, or the path of a tarball or folder of it. */
  readonly edgeverse: string | undefined;
  readonly help: boolean;
}

export const HELP = `Make a project with Edgeverse.

  npm create edgeverse [folder] -- [flags]

The folder is made, or must be empty; its name becomes the name of the project and of its Worker.

Flags (npm wants the -- before them)
  --yes                  ask nothing: the folder is my-app unless given
  --no-install           write the files and install nothing
  --edgeverse <version>  this version of edgeverse, or a tarball or a folder of it by its path
  --help                 this text
`;

/** @throws UsageError for flags that are not there */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const { values, positionals } = parse(argv);
  if (positionals.length > 1) throw new UsageError(`Name one folder, not ${positionals.length}; see --help`);
  return {
    folder: positionals[0],
    yes: values.yes === true,
    install: values["no-install"] !== true,
    edgeverse: values.edgeverse,
    help: values.help === true,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        yes: { type: "boolean", short: "y" },
        "no-install": { type: "boolean" },
        edgeverse: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message.split(". ")[0] : cause}; see --help`);
  }
}

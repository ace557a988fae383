import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { addVerify } from "../verify/command.ts";
import { HostError } from "./host-error.ts";
import { type HostFlags, hostFlags, readHostOptions, startFlags } from "./host-options.ts";
import type { StartHost } from "./local-host.ts";
import { addPython } from "./python/command.ts";
import { runHost } from "./run-host.ts";

/** Exit status of a command line that makes no sense. */
const MISUSED = 2;

/**
 * `edgeverse …`. Standard output has what was asked for and nothing else; everything else goes to standard error. The exit
 * status is 0 when all went well, 1 when something failed, 2 when the command line makes no sense.
 */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await commandLine().parseAsync(argv, { from: "user" });
  } catch (error) {
    // commander has printed its message, or the help that was asked for.
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : MISUSED);
    process.stderr.write(`${describe(error)}\n`);
    process.exit(1);
  }
}

function commandLine(): Command {
  const { version } = createRequire(import.meta.url)("edgeverse/package.json") as { version: string };
  const edgeverse = new Command("edgeverse")
    .description("Runs and tries virtual objects on this machine.")
    .version(version, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this text")
    .helpCommand(false)
    .showHelpAfterError("See --help.")
    .exitOverride();
  addHost(
    hostFlags(edgeverse.command("dev")),
    "Run your Worker, and bundle it again at every change of a file (wrangler dev).",
    async () => {
      const { startWranglerHost } = await import("./wrangler-host.ts");
      return startWranglerHost;
    },
  );
  addHost(
    startFlags(edgeverse.command("start")),
    "Run your Worker as fast as it goes (workerd), for use.",
    async () => {
      const { startWorkerdHost } = await import("./workerd-host.ts");
      return startWorkerdHost;
    },
  );
  edgeverse
    .command("migrate")
    .description("Bring the database at DATABASE_URL to the present schema. Harmless when it is there already.")
    .action(async () => {
      const { migrateDatabase } = await import("./migrate.ts");
      await migrateDatabase(process.env["DATABASE_URL"]);
      process.stdout.write("The database is up to date.\n");
    });
  edgeverse
    .command("simulate")
    .description("Live through clusters with crashes, lost messages and moves, and check every promise.")
    .argument("[workload]")
    // It reads its flags itself, --help among them.
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_workload, _flags, { args }: Command) => {
      const { simulateCommand } = await import("../src/testing/simulation/command.ts");
      process.exitCode = await simulateCommand(args, "npx edgeverse simulate");
    });
  addPython(edgeverse);
  addVerify(edgeverse);
  return edgeverse;
}

function addHost(command: Command, about: string, load: () => Promise<StartHost>): void {
  command.description(about).action(async (flags: HostFlags) => {
    const options = readHostOptions(flags, process.env);
    await runHost(await load(), options);
  });
}

function describe(error: unknown): string {
  if (error instanceof HostError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

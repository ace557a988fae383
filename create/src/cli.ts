#!/usr/bin/env node
import { relative, resolve } from "node:path";
import { askFolder } from "./ask-folder.ts";
import { HELP, readCommandLine } from "./command-line.ts";
import { install, packageManager } from "./package-manager.ts";
import { writeProject } from "./project.ts";
import { UsageError } from "./usage-error.ts";

/** `npm create edgeverse`: writes a project from the files of this package, and installs what it needs. */
async function main(): Promise<void> {
  const line = readCommandLine(process.argv.slice(2));
  if (line.help) return void process.stdout.write(HELP);

  const folder = resolve(line.folder ?? (await askFolder(line.yes)));
  const { bringsNode } = writeProject({ folder, edgeverse: line.edgeverse, node: process.versions.node });
  const shown = relative(process.cwd(), folder);
  say(`Wrote a project to ${folder}.`);
  if (bringsNode)
    say(`Its tools need Node 22.13 and this is ${process.versions.node}: it brings Node 24 for its npm scripts.`);

  const manager = packageManager(process.env["npm_config_user_agent"]);
  const installed = line.install && (await install(manager, folder));
  if (line.install && !installed) {
    say(`\n${manager} install failed, the project is complete otherwise.`);
    process.exitCode = 1;
  }
  say(`
What next:
${shown === "" ? "" : `  cd ${shown}\n`}${installed ? "" : `  ${manager} install\n`}  ${manager} run dev      # serves http://127.0.0.1:8787, and picks up what you change
  ${manager} run test     # runs the tests
  ${manager} run deploy   # to Cloudflare; README.md says what it needs`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

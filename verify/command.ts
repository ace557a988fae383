import { type Command, InvalidArgumentError, Option } from "commander";
import { onStopSignals } from "../local/stop-signals.ts";
import { allChecks } from "./all-checks.ts";
import type { Check } from "./check.ts";
import { Deployment } from "./deployment.ts";
import { type Facts, lookAt, Unreachable } from "./facts.ts";
import { Failure } from "./failure.ts";
import { byRule, line, summary } from "./report.ts";
import { type Result, runChecks } from "./run-checks.ts";

interface Flags {
  readonly token?: string;
  readonly header?: readonly string[];
  readonly only?: readonly string[];
  readonly allowReshard?: boolean;
  readonly json?: boolean;
}

const ABOUT = `
What it does: it makes a few hundred requests within about a minute, one check after the other. Its objects are of types of
its own. Your host must serve them, or the checks that need them are not applicable:

  import { probes } from "edgeverse/verify";
  const host = defineHost({ objects: [Counter, ...probes] });

With the admin token it also moves and pins shards, if it can such that hold nothing, and adds a partition of its own and
removes it again. Then it deletes its objects and undoes its changes, also after a failure or Ctrl-C. A second
Ctrl-C ends it at once, and leaves what the check under way has done. The rows and marks of its reliable calls stay for the
retention. The host's log gets a few errors that the probes were asked to make.

Exit status: 0 when no rule failed; 1 when one did; 2 when the deployment can't be reached, or refuses the token;
130 when it was stopped.`;

/** `edgeverse verify`. */
export function addVerify(edgeverse: Command): void {
  edgeverse
    .command("verify")
    .description("Try the rules of docs/SPEC.md on a running deployment.")
    .argument("<url>", "where it runs, with the base path of its host if it has one", readUrl)
    .addOption(new Option("--token <token>", "the admin token").env("EDGEVERSE_ADMIN_TOKEN"))
    .option("--header <name:value>", "sent with every request, for what stands in front; repeatable", collect)
    .option("--only <rule>", "try this rule only, such as CALL1; repeatable", readRule)
    .option("--allow-reshard", "double the shards of the cluster, and halve them again")
    .option("--json", "print the results as JSON")
    .addHelpText("after", ABOUT)
    .action(async (url: URL, flags: Flags) => process.exit(await verify(url, flags)));
}

/** @returns the exit status */
async function verify(url: URL, { token, header, only, allowReshard = false, json = false }: Flags): Promise<number> {
  const headers = readHeaders(header ?? []);
  if (headers === undefined) return refuse("A --header must be like name:value.");
  const deployment = new Deployment(url, token === "" ? undefined : token, headers);
  const stopping = new AbortController();
  onStopSignals({ stop: () => stopping.abort(), stopAtOnce: () => process.exit(130) });
  const say = (text: string) => void (json ? process.stderr : process.stdout).write(`${deployment.redact(text)}\n`);
  const begun = performance.now();
  let facts: Facts;
  try {
    facts = await lookAt(deployment, stopping.signal);
  } catch (error) {
    if (stopping.signal.aborted) return 130;
    if (!(error instanceof Unreachable || error instanceof Failure)) throw error;
    return refuse(deployment.redact(error.message));
  }
  say(`${deployment.url}: Edgeverse ${facts.version}${about(facts)}`);
  const checks = allChecks.filter(({ rule }) => only === undefined || only.includes(rule));
  const onResult = (result: Result) => say(line(result));
  const results = await runChecks(checks, { deployment, facts, allowReshard, stop: stopping.signal, onResult });
  const seconds = (performance.now() - begun) / 1_000;
  if (json) {
    const { requests } = deployment;
    const report = {
      url: deployment.url,
      ...facts,
      stopped: stopping.signal.aborted,
      requests,
      seconds,
      rules: byRule(results),
      checks: results,
    };
    process.stdout.write(`${deployment.redact(JSON.stringify(report))}\n`);
  } else say(summary(results, deployment.requests, seconds));
  if (stopping.signal.aborted) {
    say(`Stopped: ${checks.length - results.length} checks were not tried, or not to their end.`);
    return 130;
  }
  return results.some(({ outcome }) => outcome === "fail") ? 1 : 0;
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n`);
  return 2;
}

function about({ admin, shards, partitions, log }: Facts): string {
  if (!admin) return ", without the admin token";
  return `, ${shards} shards, ${partitions.length} partitions, ${log === "postgres" ? "a log in Postgres" : "a local log"}`;
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.username === "") return url;
  throw new InvalidArgumentError("It must be a URL like https://my-worker.example.workers.dev.");
}

function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Undefined when one makes no sense. commander would print it, and it may be a secret. */
function readHeaders(texts: readonly string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const text of texts) {
    const [, name, value] = /^([\w-]+):\s*(.+)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) return undefined;
    headers[name] = value;
  }
  return headers;
}

const rules: readonly Check["rule"][] = [...new Set(allChecks.map(({ rule }) => rule))];

function readRule(text: string, before: readonly string[] = []): string[] {
  const rule = text.toUpperCase();
  if (rules.includes(rule)) return [...before, rule];
  throw new InvalidArgumentError(`There are checks for ${rules.join(", ")}.`);
}

import { join } from "node:path";
import { parseArgs } from "node:util";
import { Context } from "./context.ts";
import { costOf, type WorkCost } from "./cost/measure.ts";
import { PRICES } from "./cost/prices.ts";
import { renderCosts, renderPrices } from "./cost/report.ts";
import { Site } from "./cost/site.ts";
import { WORKS } from "./cost/works.ts";
import { readOptions } from "./options.ts";
import { progress } from "./progress.ts";

const HELP = `Count what work costs on Cloudflare and Neon: rows, requests, time awake, statements; and the dollars for it.

  --only <name>  only work whose name begins so; may be repeated
  --json         print counts, dollars and prices as JSON instead of a table
  --help         this text

Nothing is timed: the same code gives the same numbers.
`;

/** `npm run cost` */
const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await count(values.only, values.json);

async function count(only: readonly string[], json: boolean): Promise<void> {
  await using context = new Context(readOptions([]));
  const host = await context.host({ partitions: 2, config: join(import.meta.dirname, "cost/wrangler.toml") });
  const site = new Site(host);
  const costs: WorkCost[] = [];
  for (const work of WORKS) {
    if (only.length > 0 && !only.some((start) => work.name.startsWith(start))) continue;
    progress(work.name);
    costs.push(await costOf(work, site));
  }
  progress("stopping\n");
  if (json) process.stdout.write(`${JSON.stringify({ prices: PRICES, costs }, null, 2)}\n`);
  else process.stdout.write(`${renderCosts(costs)}\n\n${renderPrices()}\n`);
}

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { HostError } from "../host-error.ts";
import { type ApiDocument, pythonClient } from "./python-client.ts";

const PATIENCE = 10_000;

/** `edgeverse python`: a client for Python, from the OpenAPI document of a host. */
export function addPython(edgeverse: Command): void {
  edgeverse
    .command("python")
    .description("Make a client for Python, with the types and methods of a host.")
    .argument("<source>", "where the host runs, or a file with its openapi.json")
    .option("-o, --out <file>", "write it there, and not to standard output")
    .action(async (source: string, { out }: { out?: string }) => {
      const text = pythonClient(
        await documentOf(source),
        readFileSync(join(import.meta.dirname, "runtime.py"), "utf8"),
      );
      if (out === undefined) process.stdout.write(text);
      else writeFileSync(out, text);
    });
}

/** @throws HostError when there is no document of Edgeverse */
async function documentOf(source: string): Promise<ApiDocument> {
  const isUrl = /^https?:/.test(source);
  const where = isUrl ? `${source.replace(/\/+$/, "")}/api/v1/openapi.json` : source;
  let document: ApiDocument;
  try {
    document = JSON.parse(isUrl ? await fetched(where) : readFileSync(where, "utf8")) as ApiDocument;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new HostError(`Cannot read ${where}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (document?.info?.title !== "Edgeverse") throw new HostError(`${where} is no document of an Edgeverse host`);
  return document;
}

async function fetched(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(`the answer was ${response.status}`);
  return response.text();
}

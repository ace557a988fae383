import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "./deployment.ts";
import { shown } from "./expect.ts";
import { EdgeverseProbe } from "./probe.ts";

/** The run can't begin: the deployment can't be reached, or does not let the operator in. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** What a deployment has, as far as checks need to know. */
export interface Facts {
  readonly version: string;
  /** It serves the verifier's own classes. */
  readonly probes: boolean;
  /** The operator's token was given, and taken. */
  readonly admin: boolean;
  /** The rest is known to operators only. */
  readonly shards: number;
  readonly log: "postgres" | "local";
  /** Partitions that answer and may get shards. */
  readonly partitions: readonly string[];
}

interface ClusterView {
  readonly shards: number;
  readonly log: "postgres" | "local";
  readonly partitions: readonly { readonly name: string; readonly state?: string; readonly reachable: boolean }[];
}

/** Ms for what is asleep: a database that was suspended takes its time. */
const AWAKE_WITHIN = 30_000;

/** Looks what there is, and wakes it. @throws Unreachable */
export async function lookAt(deployment: Deployment, signal: AbortSignal): Promise<Facts> {
  const document = await ask(deployment, signal);
  await wake(deployment, signal);
  const facts = { ...document, admin: false, shards: 0, log: "local" as const, partitions: [] };
  if (!deployment.hasToken) return facts;
  const answer = await deployment.admin("GET", "cluster", undefined, signal);
  if (answer.status === 401) throw new Unreachable(`${deployment.url} refuses the admin token`);
  if (answer.status === 404) {
    throw new Unreachable(`${deployment.url} has no admin API: set its secret EDGEVERSE_ADMIN_TOKEN, or give no token`);
  }
  if (answer.status !== 200) throw new Unreachable(`${deployment.url} can't show its cluster: ${shown(answer)}`);
  const { shards, log, partitions } = answer.json as ClusterView;
  const usable = partitions.filter(({ reachable, state }) => reachable && (state === undefined || state === "active"));
  return { ...document, admin: true, shards, log, partitions: usable.map(({ name }) => name) };
}

/** Whether all is ready in the end is for a check to say. */
async function wake(deployment: Deployment, signal: AbortSignal): Promise<void> {
  for (const deadline = performance.now() + AWAKE_WITHIN; performance.now() < deadline; await sleep(1_000)) {
    if ((await deployment.send({ path: "/ready" }, signal)).status === 200) return;
  }
}

/** What the OpenAPI document says: of all answers, it alone is at the same place in every Worker. */
async function ask(deployment: Deployment, signal: AbortSignal): Promise<Pick<Facts, "version" | "probes">> {
  const path = "/api/v1/openapi.json";
  const answer = await deployment.send({ path }, signal).catch((error: Error) => {
    signal.throwIfAborted();
    throw new Unreachable(`Cannot reach ${deployment.url}: ${error.message}`);
  });
  const document = answer.json as { info?: { title?: string; version?: string }; paths?: object } | undefined;
  if (document?.info?.title !== "Edgeverse") {
    throw new Unreachable(
      `${deployment.url} is no Edgeverse: ${path} answers ${shown(answer)}. Give the host's base path with the URL, and headers that it needs with --header`,
    );
  }
  const probe = `/api/v1/objects/call/${EdgeverseProbe.type}/{id}/`;
  const methods = Object.keys(EdgeverseProbe.methods);
  const served = new Set(Object.keys(document.paths ?? {}));
  return { version: document.info.version ?? "", probes: methods.every((name) => served.has(probe + name)) };
}

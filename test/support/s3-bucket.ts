import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type LocalServer, startServer } from "./local-server.ts";

interface Stored {
  readonly body: Buffer;
  readonly etag: string;
}

/**
 * An S3 bucket in memory, as far as workerd's cluster needs one: conditional writes, ranges, lists. It believes every
 * signature. Its URL is without a bucket's name: it takes any.
 */
export function startBucket(): Promise<LocalServer> {
  const objects = new Map<string, Stored>();
  return startServer((request, response) => void answer(objects, request, response));
}

async function answer(objects: Map<string, Stored>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://bucket");
  const key = decodeURIComponent(pathname.split("/").slice(2).join("/"));
  const { method, headers } = request;
  const end = (status: number, more: Record<string, string> = {}, body: Buffer | string = "") =>
    response.writeHead(status, more).end(method === "HEAD" ? "" : body);
  const refuse = (status: number, code: string) => end(status, {}, `<Error><Code>${code}</Code></Error>`);
  const there = objects.get(key);

  // A write that depends on what is there is how instances agree on an owner.
  const { "if-match": only, "if-none-match": unless } = headers;
  const changes = method === "PUT" || method === "DELETE";
  if (changes && ((unless === "*" && there !== undefined) || (only !== undefined && there?.etag !== only))) {
    return void refuse(412, "PreconditionFailed");
  }
  if (method === "PUT") {
    const body = Buffer.concat(chunks);
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    objects.set(key, { body, etag });
    return void end(200, { etag });
  }
  if (method === "DELETE") {
    objects.delete(key);
    return void end(204);
  }
  if (method !== "GET" && method !== "HEAD") return void refuse(501, "NotImplemented");
  if (key === "") return void end(200, { "content-type": "application/xml" }, list(objects, searchParams));
  if (there === undefined) return void refuse(404, "NoSuchKey");
  const { body, etag } = there;
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  if (from === undefined) return void end(200, { etag, "content-length": `${body.length}` }, body);
  const last = to === "" ? body.length - 1 : Math.min(Number(to), body.length - 1);
  const part = body.subarray(Number(from), last + 1);
  const range = { "content-range": `bytes ${from}-${last}/${body.length}`, "content-length": `${part.length}` };
  end(206, { etag, ...range }, part);
}

/** `ListObjectsV2`. */
function list(objects: ReadonlyMap<string, Stored>, query: URLSearchParams): string {
  const prefix = query.get("prefix") ?? "";
  const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
  const most = Number(query.get("max-keys") ?? 1_000);
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, most);
  const rows = page.map((key) => {
    const { body, etag } = objects.get(key) as Stored;
    const at = new Date(0).toISOString();
    return `<Contents><Key>${key}</Key><LastModified>${at}</LastModified><ETag>${etag}</ETag><Size>${body.length}</Size></Contents>`;
  });
  const next = keys.length > most ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
  const truncated = `<IsTruncated>${keys.length > most}</IsTruncated>`;
  return `<ListBucketResult><KeyCount>${page.length}</KeyCount>${truncated}${next}${rows.join("")}</ListBucketResult>`;
}

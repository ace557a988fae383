import { EdgeverseError } from "../src/errors/edgeverse-error.ts";

export interface NeonOptions {
  /** `postgresql://user:password@host/database`. */
  readonly url: string;
  /** Where to send SQL instead of Neon's own address for `url`: the local bridge, `http://127.0.0.1:<port>/sql`. */
  readonly endpoint?: string | undefined;
  /** How long one request may take, answer included. Default 10,000 ms. */
  readonly timeoutMs?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** A statement with its parameters as Postgres text. */
export interface SqlStatement {
  readonly query: string;
  readonly params: readonly (string | null)[];
}

/** What a statement gave: every value is Postgres text. */
export interface SqlResult {
  /** The first word of the command tag: `SELECT`, `INSERT`, `CREATE`. */
  readonly command: string;
  readonly rowCount: number | null;
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Why there is no result. The message never shows the connection string: it holds a password. */
export class NeonError extends Error {
  override readonly name = "NeonError";
  /** Postgres's SQLSTATE, if it answered with one. */
  readonly code: string | undefined;
  /** The connection failed before an answer came, and not for lack of time. */
  readonly unconnected: boolean;

  constructor(message: string, { code, unconnected = false }: { code?: string; unconnected?: boolean } = {}) {
    super(message);
    this.code = code;
    this.unconnected = unconnected;
  }
}

/**
 * Neon's SQL over HTTP: each statement is a request of its own, and nothing stays open in between. Works in workerd and in
 * Node. Neon describes the protocol by its driver only: this does what `neon()` of `@neondatabase/serverless` 1.2.0
 * does, and the tests run both. Unlike the driver it follows no redirect, which would take the password elsewhere.
 */
export class NeonClient {
  readonly #endpoint: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch | undefined;

  /** @throws INVALID_ARGUMENT when `url` is not a Postgres URL; the message does not show it */
  constructor({ url: text, endpoint, timeoutMs = 10_000, fetch }: NeonOptions) {
    const url = parseUrl(text);
    this.#endpoint = endpoint ?? `https://${url.hostname.replace(/^[^.]+\./, "api.")}/sql`;
    this.#headers = {
      "Neon-Connection-String": url.href,
      "Neon-Raw-Text-Output": "true",
      "Neon-Array-Mode": "true",
    };
    this.#timeoutMs = timeoutMs;
    this.#fetch = fetch;
  }

  /** @throws NeonError */
  async query(statement: SqlStatement): Promise<SqlResult> {
    return toResult(await this.#post(statement));
  }

  /**
   * Runs statements in order; all apply or none.
   * @throws NeonError
   */
  async transaction(statements: readonly SqlStatement[]): Promise<SqlResult[]> {
    const results = (await this.#post({ queries: statements }))?.["results"];
    if (!Array.isArray(results)) throw notSql();
    return results.map(toResult);
  }

  async #post(body: unknown): Promise<Answer> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const init = {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify(body),
      redirect: "manual",
      signal,
    } as const;
    // Called as a plain function: workerd refuses `fetch` with another `this`.
    const send = this.#fetch ?? fetch;
    const response = await send(this.#endpoint, init).catch((error: unknown) => {
      throw isLate(error) ? late() : new NeonError("no connection", { unconnected: true });
    });
    const text = await response.text().catch((error: unknown) => {
      throw isLate(error) ? late() : new NeonError("the answer broke off");
    });
    const answer = parseAnswer(text);
    if (response.ok) return answer;
    const { code, message } = answer ?? {};
    // Of a refusal only what the protocol says: a stranger's page may repeat the request.
    const reason = typeof message === "string" ? message : "no reason given";
    if (response.status === 400 && typeof code === "string") throw new NeonError(reason, { code });
    throw new NeonError(`HTTP status ${response.status}: ${reason}`);
  }
}

type Answer = Readonly<Record<string, unknown>> | undefined;

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const known = url?.protocol === "postgres:" || url?.protocol === "postgresql:";
  if (url === undefined || !known || url.username === "" || url.hostname === "" || url.pathname.length < 2) {
    throw new EdgeverseError(
      "INVALID_ARGUMENT",
      "Cannot use the database URL: expected postgresql://user:password@host/database",
    );
  }
  url.protocol = "postgresql:";
  if (!url.searchParams.has("application_name")) url.searchParams.append("application_name", "edgeverse");
  return url;
}

function parseAnswer(text: string): Answer {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Answer) : undefined;
  } catch {
    return undefined;
  }
}

function toResult(answer: Answer): SqlResult {
  if (!Array.isArray(answer?.["fields"]) || !Array.isArray(answer["rows"])) throw notSql();
  return answer as unknown as SqlResult;
}

function isLate(error: unknown): boolean {
  return error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
}

const late = () => new NeonError("no answer in time");
const notSql = () => new NeonError("the answer is not that of a database");

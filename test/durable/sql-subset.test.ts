import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PgDialect } from "drizzle-orm/pg-core";
import { parse } from "libpg-query";
import { expect, test } from "vitest";
import { enqueueCall } from "../../durable/enqueue-call.ts";
import { insertStatement } from "../../durable/postgres-event-sink.ts";
import { PostgresCallLog } from "../../durable/postgres-log.ts";
import { callRecord } from "../support/call-records.ts";
import { sqlOf } from "../support/documented-sql.ts";

const ROOT = join(import.meta.dirname, "../..");

/**
 * All that the SQL of the log is made of, as Postgres's own parser names it. CockroachDB documents each of these, on its pages
 * of statements, functions and types, and Aurora is Postgres. Look there before adding one. None of it was run on either.
 */
const SUBSET = {
  nodes: [
    "A_Const",
    "A_Expr",
    "AlterTableCmd",
    "AlterTableStmt",
    "BoolExpr",
    "CoalesceExpr",
    "ColumnDef",
    "ColumnRef",
    "CommonTableExpr",
    "Constraint",
    "CreateStmt",
    "DeleteStmt",
    "FuncCall",
    "IndexElem",
    "IndexStmt",
    "InsertStmt",
    "List",
    "LockingClause",
    "NullTest",
    "ParamRef",
    "RangeFunction",
    "RangeVar",
    "ResTarget",
    "SelectStmt",
    "SortBy",
    "String",
    "SubLink",
    "TypeCast",
  ],
  kinds: [
    "AEXPR_IN",
    "AEXPR_OP",
    "AEXPR_OP_ANY",
    "AND_EXPR",
    "ARRAY_SUBLINK",
    "AT_AddColumn",
    "AT_AddConstraint",
    "AT_DropConstraint",
    "COERCE_EXPLICIT_CALL",
    "CONSTR_CHECK",
    "CONSTR_NOTNULL",
    "CONSTR_PRIMARY",
    "CONSTR_UNIQUE",
    "DROP_RESTRICT",
    "IS_NOT_NULL",
    "LCS_FORUPDATE",
    "LIMIT_OPTION_COUNT",
    "LockWaitSkip",
    "OBJECT_TABLE",
    "ONCOMMIT_NOOP",
    "ONCONFLICT_NOTHING",
    "ONCONFLICT_UPDATE",
    "OR_EXPR",
    "OVERRIDING_NOT_SET",
    "SETOP_NONE",
    "SORTBY_ASC",
    "SORTBY_DESC",
  ],
  options: ["agg_star", "btree", "inh", "initially_valid", "is_enforced", "is_local", "skip_validation"],
  operators: ["+", "-", "->", "->>", "/", "<", "<>", "=", ">"],
  functions: [
    "count",
    "json_to_recordset",
    "max",
    "min",
    "now",
    "octet_length",
    "pg_advisory_xact_lock",
    "pg_column_size",
    "sum",
    "to_timestamp",
  ],
  types: ["bigserial", "float8", "int4", "int8", "interval", "json", "jsonb", "text", "timestamptz"],
};

/** Every statement that the log can send, and how a call gets in from elsewhere. */
async function statements(): Promise<string[]> {
  const sent: string[] = [];
  const log = new PostgresCallLog({
    url: "postgresql://u:p@db.test/d",
    endpoint: "http://db.test/sql",
    fetch: async (_input, init) => {
      const { query } = JSON.parse(String(init?.body)) as { query: string };
      sent.push(query);
      // Sizes are asked for first, and then the calls themselves.
      const rows = /^select "seq", coalesce/.test(query) ? [["1", "10"]] : [];
      const fields = ["seq", "characters"].map((name) => ({ name, dataTypeID: 20 }));
      return Response.json({ command: "SELECT", rowCount: rows.length, rowAsArray: true, fields, rows });
    },
  });
  await log.write([callRecord({})]);
  await log.find("T", "a", "c");
  await log.list({ limit: 1 });
  await log.list({ status: "failed", type: "T", id: "a", before: "9", limit: 1 });
  await log.pending({ staleBefore: 1, limit: 1 });
  await log.pending({ staleBefore: 1, after: "1", limit: 1 });
  await log.read(["1"]);
  await log.stats();
  await log.causedBy([{ type: "T", id: "a", callId: "c" }], 1);
  for (const types of [{}, { T: 1, U: 2 }]) {
    await log.countFinished(1, types);
    await log.removeFinished(1, 1, types);
  }
  await log.ping();
  sent.push(new PgDialect().sqlToQuery(insertStatement("[]")).sql);
  const execute = async (query: Parameters<Parameters<typeof enqueueCall>[0]["execute"]>[0]) => {
    sent.push(new PgDialect().sqlToQuery(query).sql);
  };
  await enqueueCall({ execute }, { type: "T", id: "a", method: "m", request: {}, expiresAt: new Date() });
  const migrations = readdirSync(join(ROOT, "migrations")).filter((name) => name.endsWith(".sql"));
  const files = migrations.map((name) => readFileSync(join(ROOT, "migrations", name), "utf8"));
  return [...sent, ...files.flatMap((file) => file.split("--> statement-breakpoint")), ...sqlOf("call-log.md")];
}

type Found = Record<keyof typeof SUBSET, Set<string>>;

/** Collects what a parse tree is made of: the names of its nodes and of their kinds, and the names that statements use. */
function look(tree: unknown, found: Found): void {
  if (Array.isArray(tree)) for (const item of tree) look(item, found);
  else if (typeof tree === "object" && tree !== null) {
    for (const [name, value] of Object.entries(tree) as [string, Record<string, unknown>][]) {
      if (/^[A-Z]/.test(name)) found.nodes.add(name);
      if (typeof value === "string" && KIND.test(value) && name !== "sval") found.kinds.add(value);
      if (name === "accessMethod") found.options.add(String(value));
      if (value === (true as unknown)) found.options.add(name);
      if (name === "A_Expr") found.operators.add(last(value["name"]));
      if (name === "FuncCall") found.functions.add(last(value["funcname"]));
      if (/^TypeName$/i.test(name)) found.types.add(last(value["names"]));
      look(value, found);
    }
  }
}

/** How the parser writes kinds. Defaults say nothing. */
const KIND = /^(?!.*DEFAULT)([A-Z]+_[A-Za-z_]+$|LockWait)/;

function last(names: unknown): string {
  return (names as { String: { sval: string } }[]).at(-1)?.String.sval ?? "";
}

test("[CALL5] the SQL of the log keeps to a subset that CockroachDB and Aurora document", async () => {
  const found: Found = {
    nodes: new Set(),
    kinds: new Set(),
    options: new Set(),
    operators: new Set(),
    functions: new Set(),
    types: new Set(),
  };
  const all = await statements();
  for (const statement of all) look(await parse(statement), found);
  expect(all.length).toBeGreaterThan(20);
  const sorted = (lists: Record<string, Iterable<string>>) =>
    Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, [...list].sort()]));
  expect(sorted(found)).toEqual(sorted(SUBSET));
});

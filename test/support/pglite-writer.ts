import { writeSync } from "node:fs";
import { statement } from "../../local/postgres/executor.ts";
import { PgliteExecutor } from "../../local/postgres/pglite-executor.ts";

/**
 * A process made to be killed: opens the embedded Postgres in the folder it is given, says which rows it finds, then
 * writes and acknowledges one batch after the other, with checkpoints and vacuums in between, until it dies.
 */
const db = await PgliteExecutor.open(process.argv[2] ?? "");
const say = (line: string) => writeSync(1, `${line}\n`);
await db.run(
  [statement("create table if not exists t (batch int, n int, filler text, primary key (batch, n))")],
  false,
);
const found = await db.run(
  [statement("select coalesce(max(batch), 0), count(*), count(distinct batch) from t")],
  false,
);
const [last, rows, batches] = (found[0]?.rows[0] ?? []).map(Number);
say(`found ${last} ${rows} ${batches}`);
for (let batch = (last ?? 0) + 1; ; batch++) {
  const sql = "insert into t select $1::int, n, repeat(md5($1 || n::text), 8) from generate_series(1, 50) n";
  await db.run(
    [statement(sql, String(batch)), statement("update t set filler = filler || 'x' where batch = $1", String(batch))],
    true,
  );
  say(`wrote ${batch}`);
  if (batch % 17 === 0) await db.run([statement("checkpoint")], false);
  if (batch % 41 === 0) await db.run([statement("vacuum analyze t")], false);
}

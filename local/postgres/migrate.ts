import { fileURLToPath } from "node:url";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { type SqlExecutor, type SqlStatement, statement } from "./executor.ts";

const FOLDER = fileURLToPath(new URL("../../migrations", import.meta.url).href);
const JOURNAL = 'drizzle."__drizzle_migrations"';
/** Any number that nothing else locks: "edgeverse" in ASCII, cut to 63 bits. */
const LOCK = "7305238905829929331";

/**
 * Applies what is missing of `migrations/`, each exactly once, all or none; ten processes may do so at the same time. It
 * keeps drizzle's own journal, so `drizzle-kit migrate` agrees. One list of statements without a conversation, because
 * over HTTP there is none: the check whether a migration is due happens in Postgres, under the lock.
 */
export async function migrate(executor: SqlExecutor, folder: string = FOLDER): Promise<void> {
  const migrations = readMigrationFiles({ migrationsFolder: folder });
  await executor.run(
    [
      statement("select pg_advisory_xact_lock($1)", LOCK),
      statement("set local client_min_messages = warning"),
      statement("create schema if not exists drizzle"),
      statement(`create table if not exists ${JOURNAL} (id serial primary key, hash text not null, created_at bigint)`),
      ...migrations.map(({ sql, hash, folderMillis }) => apply(sql, hash, folderMillis)),
    ],
    true,
  );
}

function apply(parts: readonly string[], hash: string, when: number): SqlStatement {
  const steps = parts.map((part) => `execute ${quote(part)};`).join("\n");
  const body = `begin
    if not exists (select from ${JOURNAL} where created_at >= ${when}) then
      ${steps}
      insert into ${JOURNAL} (hash, created_at) values (${quote(hash)}, ${when});
    end if;
  end`;
  return statement(`do ${quote(body)}`);
}

/** A string in dollar quotes, with a tag the text does not contain. */
function quote(text: string): string {
  let tag = "$q$";
  for (let n = 0; text.includes(tag); n++) tag = `$q${n}$`;
  return tag + text + tag;
}

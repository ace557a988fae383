import { bigserial, json, pgTable, text, timestamp } from "drizzle-orm/pg-core";

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/**
 * Events of objects, for anyone's own consumers ([EVT6]): the attributes of CloudEvents, in the order of `seq`. Rows become
 * visible in that order too, so a consumer reads what is above the last `seq` that it has seen.
 *
 * `data` is `json`, which takes whatever JSON there is; `jsonb` would refuse some of it.
 */
export const events = pgTable("edgeverse_events", {
  seq: bigserial("seq", { mode: "bigint" }).primaryKey(),
  id: text("id").notNull().unique("edgeverse_events_id"),
  source: text("source").notNull(),
  type: text("type").notNull(),
  subject: text("subject").notNull(),
  time: instant("time").notNull(),
  sequence: text("sequence").notNull(),
  traceparent: text("traceparent"),
  data: json("data").notNull(),
  insertedAt: instant("inserted_at").notNull().defaultNow(),
});

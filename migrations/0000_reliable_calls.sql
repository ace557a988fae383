CREATE TABLE "edgeverse_reliable_calls" (
	"seq" bigserial PRIMARY KEY NOT NULL,
	"call_id" text NOT NULL,
	"object_type" text NOT NULL,
	"object_id" text NOT NULL,
	"shard" integer DEFAULT -1 NOT NULL,
	"method" text NOT NULL,
	"request" jsonb,
	"request_hash" text DEFAULT '' NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"response" jsonb,
	"error" jsonb,
	"caller" jsonb,
	"trace_id" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"epoch" bigint DEFAULT 0 NOT NULL,
	"accepted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	CONSTRAINT "edgeverse_reliable_calls_key" UNIQUE("object_type","object_id","call_id"),
	CONSTRAINT "edgeverse_reliable_calls_status" CHECK ("edgeverse_reliable_calls"."status" in ('pending', 'success', 'failed', 'expired'))
);
--> statement-breakpoint
CREATE INDEX "edgeverse_reliable_calls_open" ON "edgeverse_reliable_calls" USING btree ("status","seq") WHERE "edgeverse_reliable_calls"."status" <> 'success';--> statement-breakpoint
CREATE INDEX "edgeverse_reliable_calls_finished" ON "edgeverse_reliable_calls" USING btree ("finished_at","status") WHERE "edgeverse_reliable_calls"."status" <> 'pending';--> statement-breakpoint
CREATE INDEX "edgeverse_reliable_calls_object" ON "edgeverse_reliable_calls" USING btree ("object_id","seq");--> statement-breakpoint
CREATE INDEX "edgeverse_reliable_calls_type" ON "edgeverse_reliable_calls" USING btree ("object_type","seq");
ALTER TABLE "edgeverse_reliable_calls" DROP CONSTRAINT "edgeverse_reliable_calls_status";--> statement-breakpoint
-- NOT VALID: every row there is fits, so none needs to be read while the table is locked.
ALTER TABLE "edgeverse_reliable_calls" ADD CONSTRAINT "edgeverse_reliable_calls_status" CHECK ("edgeverse_reliable_calls"."status" in ('pending', 'parked', 'success', 'failed', 'expired')) NOT VALID;

import { EdgeverseError } from "../errors/edgeverse-error.ts";

/**
 * Refuses a database that a newer version of Edgeverse has changed: its tables may look otherwise by now.
 *
 * @param done steps that the database has been through
 * @param known steps that this version knows
 * @throws EdgeverseError `UNAVAILABLE`
 */
export function checkSchemaVersion(done: number, known: number): void {
  if (done <= known) return;
  throw new EdgeverseError(
    "UNAVAILABLE",
    `The database has schema ${done}, and this version of Edgeverse knows up to ${known}: deploy the newer version again`,
  );
}

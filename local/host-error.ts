/** A failure of the local host that its user can mend: printed as one sentence, without a stack. */
export class HostError extends Error {
  override readonly name = "HostError";
}

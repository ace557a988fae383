/** The deployment does not do what the rule says. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** The check makes no sense here, for this reason. */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable";
}

import { execFileSync } from "node:child_process";

/** Whether there is a Python that the generated client can run in. */
export const hasPython = (() => {
  try {
    execFileSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

import { spawn } from "node:child_process";

const KNOWN = ["npm", "pnpm", "yarn", "bun"];

/** The package manager that runs this: `npm_config_user_agent` begins with its name. */
export function packageManager(userAgent = ""): string {
  const name = userAgent.split("/")[0] ?? "";
  return KNOWN.includes(name) ? name : "npm";
}

/** Installs a project's packages; answers whether that worked. The package manager says itself why not. */
export function install(manager: string, folder: string): Promise<boolean> {
  // On Windows npm is a script, which only a shell starts.
  const child = spawn(manager, ["install"], { cwd: folder, stdio: "inherit", shell: process.platform === "win32" });
  return new Promise((resolve) => {
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
}

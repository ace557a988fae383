import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** The part of `edgeverse` that the programs use; the whole of it takes the compiler seconds. */
const FACE = `export { method } from "${ROOT}/src/object/method.ts";
export { VirtualObject } from "${ROOT}/src/object/virtual-object.ts";
`;

/**
 * Compiles programs against the sources, with the project's own settings; gives each one's errors as `line code`.
 * @param types packages whose global types the programs see
 */
async function errorsOf<Name extends string>(
  programs: Record<Name, string>,
  types: readonly string[] = [],
): Promise<Record<Name, string[]>> {
  const folder = await mkdtemp(join(tmpdir(), "edgeverse-types-"));
  const names = Object.keys(programs) as Name[];
  try {
    const settings = {
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: {
        types,
        typeRoots: [join(ROOT, "node_modules"), join(ROOT, "node_modules/@types")],
        paths: { edgeverse: [join(folder, "face.ts")], zod: [join(ROOT, "node_modules/zod")] },
      },
      include: [],
      files: names.map((name) => `${name}.ts`),
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
    await writeFile(join(folder, "face.ts"), FACE);
    for (const name of names) await writeFile(join(folder, `${name}.ts`), programs[name]);
    const output = await run([join(ROOT, "node_modules/typescript/bin/tsc"), "--pretty", "false", "-p", folder]);
    // Only the programs' own errors: what is wrong in the sources is for `npm run test:types` to say.
    const errors = [...output.matchAll(/(\w+)\.ts\((\d+),\d+\): error (TS\d+)/g)];
    if (/^error TS/m.test(output)) throw new Error(output);
    // A source that does not parse keeps the compiler from looking any further.
    if (errors.every((error) => /^TS1\d{3}$/.test(error[3] as string)))
      throw new Error(`nothing was checked: ${output}`);
    const of = (name: Name) => errors.filter((error) => error[1] === name).map((error) => `${error[2]} ${error[3]}`);
    return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, string[]>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(parameters: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

const PREAMBLE = `import { method, VirtualObject } from "edgeverse";
import { z } from "zod";
class Counter extends VirtualObject<{ value: number }> {
  static override readonly type = "Counter";
  static override readonly state = z.object({ value: z.number().default(0) });
  static override readonly methods = { add: method({ request: z.object({ by: z.number() }) }) };
  add({ by }: { by: number }) { return { value: (this.state.value += by) }; }
}
export class Caller extends VirtualObject {
  async run() {
    const counter = this.object(Counter, "c");`;
const FIRST = PREAMBLE.split("\n").length + 1;

test("[OBJ5] a wrong method, request or use of a response does not compile; the right ones do", async () => {
  const mistakes = [
    "await counter.increment({ by: 1 });",
    'await counter.add({ by: "1" });',
    "const text: string = (await counter.add({ by: 1 })).value; void text;",
    "void counter.add({ by: 1 }).value;",
  ];
  const right = ["const { value } = await counter.add({ by: 1 });", "void (value + 1);"];
  const program = (lines: string[]) => [PREAMBLE, ...lines, "  }", "}"].join("\n");
  const errors = await errorsOf({
    right: program(right),
    wrong: program([...right, ...mistakes]),
    // A mistake that compiles after all turns its own directive into an error: so `stubs.test-d.ts` can fail.
    unused: program(["// @ts-expect-error this is right", ...right]),
  });
  expect(errors).toEqual({
    right: [],
    wrong: ["TS2339", "TS2322", "TS2322", "TS2339"].map((code, index) => `${FIRST + right.length + index} ${code}`),
    unused: [`${FIRST} TS2578`],
  });
});

test.each([
  ["on their own", []],
  ["beside @cloudflare/workers-types", ["@cloudflare/workers-types"]],
])("[OBJ7] this.env has what is declared of the bindings, without setup: %s", async (_, types) => {
  const program = `import { VirtualObject } from "edgeverse";
declare global { namespace Cloudflare { interface Env { readonly GREETING: string } } }
export class Greeter extends VirtualObject {
  right(): string { return this.env.GREETING; }
  wrong(): string { return this.env.GRETING; }
}`;
  expect(await errorsOf({ program }, types)).toEqual({ program: ["5 TS2551"] });
});

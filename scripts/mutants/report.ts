import type { Instrumented, Mutant } from "./instrument.ts";
import type { Journal } from "./journal.ts";

/** Every survivor as a change, then the score of each file. */
export function report({ mutants: all }: Instrumented, journal: Journal): string {
  const killed = new Set<string>();
  const tried = new Set<string>();
  const loaded = new Set<string>();
  const leftOut: string[] = [];
  for (const entry of journal.entries()) {
    if (entry.kind === "killed") killed.add(entry.mutant);
    else if (entry.kind === "try") tried.add(entry.mutant);
    else if (entry.kind === "loaded") for (const mutant of entry.mutants) loaded.add(mutant);
    else if (entry.kind === "left out") leftOut.push(`left out (${entry.why}): ${entry.test}`);
  }
  const mutants = all.filter(({ id }) => tried.has(id) || !loaded.has(id));
  const lines: string[] = [];
  for (const mutant of mutants) {
    if (!killed.has(mutant.id)) lines.push(...changeOf(mutant, tried.has(mutant.id)));
  }
  lines.push(...leftOut, "", "| File | Killed | Mutants | Score |", "|---|---|---|---|");
  const files = Map.groupBy(mutants, ({ file }) => file);
  for (const [file, own] of [...files, ["all", mutants] as const]) {
    const dead = own.filter(({ id }) => killed.has(id)).length;
    lines.push(`| ${file} | ${dead} | ${own.length} | ${((100 * dead) / own.length).toFixed(1)} % |`);
  }
  return lines.join("\n");
}

function changeOf({ file, line, mutator, original, replacement }: Mutant, tried: boolean): string[] {
  const marked = (sign: string, text: string) => text.split("\n").map((part) => `  ${sign} ${part.trim()}`);
  const how = tried ? mutator : `${mutator}, which no test runs into`;
  return [`${file}:${line} ${how}`, ...marked("-", original), ...marked("+", replacement), ""];
}

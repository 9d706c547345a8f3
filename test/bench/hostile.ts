// Prints every hostile kind of model with the sentence it gets: `npm run hostile`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOSTILE_MODELS } from "../engine/hostileModels";
import { saidOf } from "../engine/hostileSaid";

async function main(): Promise<void> {
  process.stdout.write("| what stands where a model should | what Whittle says |\n| --- | --- |\n");
  for (const one of HOSTILE_MODELS) {
    if (one.unixOnly && process.platform === "win32") continue;
    const folder = mkdtempSync(join(tmpdir(), "whittle-"));
    process.stdout.write(`| ${one.kind} | ${await saidOf(one, folder)} |\n`);
    rmSync(folder, { recursive: true });
  }
}

void main();

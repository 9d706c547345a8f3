// Prints every hostile kind of model and of data with the sentence it gets: `npm run hostile`. test/bench/hostile.md is what it
// printed last.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOSTILE_DATA } from "../engine/hostileData";
import { HOSTILE_MODELS } from "../engine/hostileModels";
import { rowOf, saidOf, saidOfData } from "../engine/hostileSaid";

type Hostile = { readonly kind: string; readonly unixOnly?: true };

async function table<One extends Hostile>(
  place: string,
  kinds: readonly One[],
  said: (one: One, folder: string) => Promise<string>,
): Promise<void> {
  process.stdout.write(`\n| what stands where ${place} should | what Whittle says |\n| --- | --- |\n`);
  for (const one of kinds) {
    if (one.unixOnly && process.platform === "win32") continue;
    const folder = mkdtempSync(join(tmpdir(), "whittle-"));
    process.stdout.write(`${rowOf(one.kind, await said(one, folder))}\n`);
    rmSync(folder, { recursive: true });
  }
}

async function main(): Promise<void> {
  process.stdout.write("# Hostile files, and what is said of each\n\n`npm run hostile` prints this.\n");
  await table("a model", HOSTILE_MODELS, saidOf);
  await table("data", HOSTILE_DATA, saidOfData);
}

void main();

// Looks for what breaks the readers of models and of data, guided by what their code has reached:
// `npm run fuzz:nightly -- [SECONDS a reader] [SEED]`. Outside CI: it takes as long as it is given.
import { fork } from "node:child_process";
import { mkdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Explored } from "./explore";
import { TARGETS } from "./targets";

/** A file that is read for longer than this by the clock is one that is never read. */
const HANG_SECONDS = 60;

const [seconds, seed] = [Number(process.argv[2] ?? 300), Number(process.argv[3] ?? 1)];
const folder = join(tmpdir(), `whittle-nightly-${seed}`);

/** What one reader made of it, or how its process ended. */
function explore(name: string): Promise<Explored | string> {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const child = fork(join(__dirname, "explore.js"), [name, String(seconds), String(seed), own], {
    execArgv: ["--max-old-space-size=512", "--enable-source-maps"],
  });
  return new Promise(resolve => {
    const watch = setInterval(() => {
      const shown = statSync(join(own, TARGETS[name]!.file), { throwIfNoEntry: false });
      if (shown && Date.now() - shown.mtimeMs > 1000 * HANG_SECONDS) child.kill("SIGKILL");
    }, 1000);
    let answer: Explored | undefined;
    child.once("message", (explored: Explored) => (answer = explored));
    child.once("exit", (code, signal) => {
      clearInterval(watch);
      resolve(answer ?? `its process ended (exit ${code}, signal ${signal}) on ${join(own, TARGETS[name]!.file)}`);
    });
  });
}

async function main(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`Readers for ${seconds} s each, seed ${seed}\n`);
  for (const name of Object.keys(TARGETS)) {
    const found = await explore(name);
    const broke = typeof found === "string" || found.finds.length > 0;
    if (broke) process.exitCode = 1;
    const said =
      typeof found === "string"
        ? found
        : `${found.runs} mutants, ${found.results} read; ${found.corpus} kept, which reach ${found.blocks} blocks; ${found.finds.length} finds` +
          found.finds.map(find => `\n${find.slice(0, 600)}`).join("");
    process.stdout.write(`${name.padEnd(8)} ${said}\n`);
  }
  if (process.exitCode === 1) process.stdout.write(`Kept in ${folder}\n`);
}

void main();

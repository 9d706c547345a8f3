// Runs the bundled tests of the folders named, found by their ending: `node scripts/test.mjs unit engine`.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const files = process.argv
  .slice(2)
  .flatMap(folder =>
    readdirSync(join("dist/test", folder), { recursive: true }).map(file =>
      join("dist/test", folder, String(file)),
    ),
  )
  .filter(file => file.endsWith(".test.js"));
if (files.length === 0) {
  console.error("No test was found: is dist/test built?");
  process.exit(1);
}
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
process.exit(status ?? 1);

// The bench without the command line: npx esbuild test/bench/main.ts --bundle --platform=node --outfile=dist/bench.js
//   node dist/bench.js [case ...] [--threads 1,2] [--against numpy] [--json]
import { parseArgs } from "node:util";
import { benchTable, runBench } from "../../src/engine/bench";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: "string" }, against: { type: "string" }, json: { type: "boolean" } },
});

void runBench({
  cases: positionals.length > 0 ? positionals : undefined,
  threads: values.threads?.split(",").map(Number),
  against: values.against === "numpy" ? "numpy" : undefined,
  directory: "dist",
  report: result => {
    if (!values.json) console.error(`${result.case} on ${result.threads}: ${result.seconds.toFixed(2)} s`);
  },
}).then(results => console.log(values.json ? JSON.stringify(results, null, 2) : benchTable(results)));

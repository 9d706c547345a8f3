/** What VS Code calls in its extension host: loads every `*.test.js` beside this file into mocha and runs them. */
const { readdirSync } = require("node:fs");
const { findSourceMap } = require("node:module");
const { join } = require("node:path");
const { format } = require("node:util");

// Long enough for a model to be quantized inside a test; a test that needs more says so itself.
const TEST_MS = 60_000;

exports.run = () => {
  // Before the tests are loaded, so that Node keeps their source maps.
  process.setSourceMapsEnabled(true);
  // Under code-server the tests' lines carry a mark, by which they are told from the workbench's own (see mocha.mjs).
  const mark = process.env.WHITTLE_MOCHA_MARK;
  if (mark) globalThis.console = { ...console, ...Object.fromEntries(["log", "info"].map(marked)) };
  // Not before: mocha keeps the console.log it finds when it is loaded.
  const { default: Mocha } = require("mocha");
  const mocha = new Mocha({ ui: "tdd", color: false, timeout: TEST_MS, fullTrace: true });
  const tests = readdirSync(__dirname, { recursive: true }).filter(name => name.endsWith(".test.js"));
  for (const name of tests.sort()) {
    const file = join(__dirname, name);
    mocha.suite.emit("pre-require", globalThis, file, mocha); // Gives the file its `suite` and `test`.
    require(file);
  }
  return new Promise((resolve, reject) => {
    const runner = mocha.run(failed => {
      if (failed > 0) reject(new Error(`${failed} failed`));
      else if (runner.total === 0) reject(new Error("There was no test."));
      else resolve();
    });
    runner.on("fail", (test, error) => (error.stack = inSources(error.stack)));
  });

  // VS Code does not let a method of its console be replaced; a console of ours in its place, it does.
  function marked(kind) {
    const say = console[kind];
    return [kind, (...args) => say(mark + format(...args))];
  }
};

/** The frames of our own files, in terms of the sources: VS Code takes traces over from Node, which would do it. */
function inSources(stack = "") {
  return stack
    .split("\n")
    .flatMap(line => {
      const [, file, row, column] = /\(?(\/[^()]+|[A-Z]:[^()]+):(\d+):(\d+)\)?$/.exec(line) ?? [];
      if (!file) return line.trimStart().startsWith("at ") ? [] : [line];
      const entry = findSourceMap(file)?.findEntry(row - 1, column - 1);
      if (!entry?.originalSource || /node_modules|mocha-index/.test(entry.originalSource)) return [];
      return `    at ${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    })
    .join("\n");
}

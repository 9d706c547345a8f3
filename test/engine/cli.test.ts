import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { readModel, writeModel } from "../../src/core/onnx/model";
import { folderOf, writeNpy } from "./files";

const cli = resolve("dist/cli.js");
const sample = resolve("samples/mnist_mlp.onnx");

function whittle(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Runs in a folder of its own and checks that a failure is one line, with its code, and that nothing new is left behind. */
function fails(folder: string, words: string[], code: string, sentence: RegExp): void {
  const before = readdirSync(folder);
  const { status, stdout, stderr } = whittle(...words);
  assert.equal(status, 1, stderr);
  assert.equal(stdout, "");
  const lines = stderr.split("\n").filter(line => line.startsWith("whittle: "));
  assert.equal(lines.length, 1, stderr);
  assert.ok(lines[0]!.startsWith(`whittle: ${code}: `), lines[0]);
  assert.match(lines[0]!, sentence);
  assert.doesNotMatch(stderr, /\n\s+at /);
  assert.deepEqual(readdirSync(folder), before);
}

test("quantize writes a copy and a report, inspect and evaluate read it", t => {
  const folder = folderOf(t);
  const [copy, report] = [join(folder, "c.onnx"), join(folder, "r.json")];
  const done = whittle(
    "quantize",
    sample,
    "-o",
    copy,
    "--method",
    "msq",
    "--data",
    "samples/mnist.json",
    "--samples",
    "20",
    "--report",
    report,
    "--json",
  );
  assert.equal(done.status, 0, done.stderr);
  const printed = JSON.parse(done.stdout) as {
    layers: { name: string; layerErrorHeldOut: number }[];
    calibration: unknown;
    runtime: { residentBytesFloat: number; residentBytesQuantized: number; differenceAlone: number };
  };
  assert.deepEqual(JSON.parse(readFileSync(report, "utf8")), printed);
  assert.deepEqual(printed.calibration, { samples: 20, heldOut: 4, synthetic: false });
  // The model has 2 MB of weights, and onnxruntime is there to load it.
  assert.ok(printed.runtime.residentBytesFloat > 2e6 && printed.runtime.residentBytesQuantized > 2e5);
  assert.ok(printed.runtime.differenceAlone <= 1e-4);
  assert.ok(printed.layers.every(layer => layer.layerErrorHeldOut > 0 && layer.layerErrorHeldOut < 1));

  const scored = whittle("evaluate", copy, "--against", sample, "--data", "samples/mnist.json", "--json");
  const score = JSON.parse(scored.stdout) as { top1: number; agreement: number; flipped: number[]; n: number };
  assert.ok(score.top1 > 0.9);
  assert.equal(score.flipped.length, Math.round((1 - score.agreement) * score.n));

  const seen = JSON.parse(whittle("inspect", copy, "--json").stdout) as { layers: unknown[]; skipped: unknown[] };
  assert.equal(seen.layers.length, 0);
  assert.ok(seen.skipped.length > 0);
});

test("a fall of the score beyond --max-drop is a failure", t => {
  const copy = join(folderOf(t), "c.onnx");
  whittle("quantize", sample, "-o", copy, "--bits", "1", "--method", "msq");
  const words = ["evaluate", copy, "--against", sample, "--data", "samples/mnist.json", "--samples", "200"];
  assert.equal(whittle(...words, "--max-drop", "0.9").status, 0);
  const { status, stderr } = whittle(...words, "--max-drop", "0.01");
  assert.equal(status, 1);
  assert.match(stderr, /^whittle: score-dropped: /m);
});

test("a dry run writes nothing", t => {
  const folder = folderOf(t);
  const copy = join(folder, "c.onnx");
  const { status, stdout } = whittle("quantize", sample, "-o", copy, "--dry-run", "--json");
  assert.equal(status, 0);
  assert.equal((JSON.parse(stdout) as { layers: unknown[] }).layers.length, 3);
  assert.deepEqual(readdirSync(folder), []);
});

test("bad models and targets get one clear line, and nothing is left behind or overwritten", t => {
  const folder = folderOf(t);
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("empty.onnx"), "");
  writeFileSync(at("text.onnx"), "these are words\n");
  writeFileSync(at("short.onnx"), readFileSync(sample).subarray(0, 500_000));
  copyFileSync(sample, at("model.onnx"));
  symlinkSync(at("model.onnx"), at("link.onnx"));
  mkdirSync(at("folder.onnx"));
  const out = at("out.onnx");
  fails(folder, ["quantize", at("empty.onnx"), "-o", out], "model-unreadable", /is empty/);
  fails(folder, ["quantize", at("text.onnx"), "-o", out], "model-unreadable", /is a text/);
  fails(folder, ["quantize", at("short.onnx"), "-o", out], "model-unreadable", /ends too early/);
  fails(folder, ["quantize", at("folder.onnx"), "-o", out], "model-unreadable", /is a folder/);
  fails(folder, ["quantize", at("nothing.onnx"), "-o", out], "model-missing", /There is no file/);
  fails(folder, ["inspect", at("nothing.onnx")], "model-missing", /There is no file/);
  fails(
    folder,
    ["quantize", at("model.onnx"), "-o", at("model.onnx"), "--overwrite"],
    "output-is-model",
    /is the model itself/,
  );
  fails(
    folder,
    ["quantize", at("model.onnx"), "-o", at("link.onnx"), "--overwrite"],
    "output-is-model",
    /is the model itself/,
  );
  fails(folder, ["quantize", at("model.onnx"), "-o", at("text.onnx")], "output-exists", /is there already/);
  fails(
    folder,
    ["quantize", at("model.onnx"), "-o", at("no/such/folder/out.onnx")],
    "output-unwritable",
    /folder does not exist/,
  );
  fails(folder, ["quantize", at("model.onnx"), "-o", "/proc/out.onnx"], "output-unwritable", /cannot be written/);
  assert.equal(readFileSync(at("text.onnx"), "utf8"), "these are words\n");
  assert.deepEqual(readFileSync(at("model.onnx")), readFileSync(sample));
});

test("bad data get one clear line that names the input, the shapes and the sample", t => {
  const folder = folderOf(t);
  const wrong = writeNpy(join(folder, "wrong.npy"), [12, 100], new Float32Array(1200));
  const nan = writeNpy(
    join(folder, "nan.npy"),
    [12, 784],
    new Float32Array(12 * 784).fill(NaN, 5 * 784, 5 * 784 + 1),
  );
  const cut = join(folder, "cut.npy");
  writeFileSync(cut, readFileSync(wrong).subarray(0, 1000));
  const out = ["-o", join(folder, "out.onnx")];
  const on = (data: string): string[] => ["quantize", sample, ...out, "--calibration", data];
  fails(
    folder,
    on(wrong),
    "data-does-not-fit",
    /Input "input" wants float32 \[\S+, 784\]; wrong\.npy gives float32 \[12, 100\]/,
  );
  fails(folder, on(nan), "data-not-finite", /NaN in sample 5/);
  fails(folder, on(cut), "data-unreadable", /promises \d+ bytes/);
  fails(folder, on(join(folder, "none.npy")), "data-missing", /There is no file/);
  fails(
    folder,
    ["quantize", sample, ...out, "--data", "samples/mnist.json#digits"],
    "data-unreadable",
    /has no entry "digits"/,
  );
});

test("a full disk is told, and leaves nothing behind", { skip: process.platform === "win32" }, t => {
  const folder = folderOf(t);
  // A limit of 64 KB a file stands for the disk that is full: the system refuses the same write.
  const { status, stderr } = spawnSync(
    "bash",
    [
      "-c",
      `ulimit -f 64; exec "$0" "$@"`,
      process.execPath,
      cli,
      "quantize",
      sample,
      "-o",
      join(folder, "out.onnx"),
      "--method",
      "msq",
    ],
    {
      encoding: "utf8",
    },
  );
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^whittle: output-unwritable: .*size limit/m);
  assert.deepEqual(readdirSync(folder), []);
});

for (const [words, sentence] of [
  [[], /say what to do/],
  [["squash", "x.onnx"], /no command "squash"/],
  [["quantize"], /name a model/],
  [["quantize", "a.onnx", "b.onnx"], /one model at a time/],
  [["quantize", "a.onnx", "--bits", "5"], /1, 2, 3, 4, 8/],
  [["quantize", "a.onnx", "--bits", "1", "--alphabet", "symmetric"], /midrise/],
  [["quantize", "a.onnx", "--format", "qdq", "--bits", "3"], /packed/],
  [["quantize", "a.onnx", "--format", "qdq", "--alphabet", "midrise"], /midrise/],
  [["quantize", "a.onnx", "--format", "nbits", "--bits", "1"], /2, 4 and 8 bits, not 1; use packed/],
  [["quantize", "a.onnx", "--format", "nbits", "--layer", "x=3"], /2, 4 and 8 bits, not 3; use packed/],
  [["quantize", "a.onnx", "--format", "nbits", "--bits", "8", "--alphabet", "midrise"], /use packed, or symmetric/],
  [["quantize", "a.onnx", "--format", "nbits", "--group", "24"], /multiple of 16; use 32, or packed/],
  [["quantize", "a.onnx", "--least-ort", "1.2"], /from 1\.17 on/],
  [["quantize", "a.onnx", "--format", "qdq", "--least-ort", "1.19"], /use --format nbits or packed/],
  [["quantize", sample, "--format", "qdq", "--bits", "2", "--dry-run"], /use --format nbits or packed/i],
  [["quantize", "a.onnx", "--max-bytes", "100", "--max-error", "0.1"], /give one/],
  [["quantize", "a.onnx", "--max-error", "2"], /between 0 and 1/],
  [["quantize", "a.onnx", "--report", "a.txt"], /must end in \.json, \.csv, \.md, \.html/],
  [["evaluate", "a.onnx"], /--data/],
] as const) {
  test(`"whittle ${words.join(" ")}" is bad usage, told with what works`, () => {
    const { status, stderr } = whittle(...words);
    assert.equal(status, 2);
    assert.match(stderr, /^whittle: (usage|format-impossible): /m);
    assert.match(stderr, sentence);
  });
}

test("what names in a model say to a terminal, or as lines of their own, is not printed", t => {
  const folder = folderOf(t);
  const model = readModel(new Uint8Array(readFileSync("test/data/awkward/mlp_opset13.onnx")), "seed");
  for (const [place, node] of model.graph.node.entries())
    node.name = `${place}\u001b]0;a title\u0007\nwhittle: all is well\u001b[2J`;
  const path = join(folder, "m.onnx");
  writeFileSync(path, writeModel(model));
  for (const words of [
    ["inspect", path],
    ["quantize", path, "--method", "msq", "-o", join(folder, "c.onnx")],
  ]) {
    const { status, stdout, stderr } = whittle(...words);
    assert.equal(status, 0, stderr);
    assert.match(stdout + stderr, /all is well/);
    assert.doesNotMatch(stdout + stderr, /[\u001b\u0007]/);
    assert.doesNotMatch(stderr, /^whittle: /m);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { notesOf } from "../../../webview/report/notes";
import { generalization, methodInWords, shapeInWords, speedOf } from "../../../webview/report/words";
import { layerReport, report } from "./make";

const says = (changes: Parameters<typeof layerReport>[1]): string => generalization(layerReport("fc", changes));

test("a fit holds on new samples up to twice its error, and is too close beyond", () => {
  assert.equal(
    says({ layerError: 0.05, layerErrorHeldOut: 0.06 }),
    "Holds on samples it has not seen: 1.2 times the fitted error.",
  );
  assert.match(says({ layerError: 0.05, layerErrorHeldOut: 0.25 }), /^Fitted too closely: .* 5\.0 times as large/);
});

test("a fit that is exact on its samples is not infinitely many times as bad on new ones", () => {
  assert.match(says({ layerError: 1e-12, layerErrorHeldOut: 0.25 }), /exact on its samples, 25\.0% off/);
  assert.equal(says({ layerError: 0, layerErrorHeldOut: 0 }), "Exact on all samples.");
});

test("without held-out samples, or any, that is said", () => {
  assert.equal(says({ layerErrorHeldOut: null }), "Too few samples to hold any out.");
  assert.equal(says({ layerErrorHeldOut: null, layerError: null, rows: 0 }), "Nothing was measured on data.");
});

test("every method has its words, and one not known here its name", () => {
  const words = (changes: Parameters<typeof layerReport>[1]): string => methodInWords(layerReport("fc", changes));
  assert.match(words({ method: "msq", variant: null, rank: null }), /^Every weight went to the nearest value/);
  assert.match(words({ variant: "walk" }), /^The samples span 60 of 200 directions\. Weights went onto the grid/);
  assert.match(
    words({ variant: "cell", residual: 2e-6 }),
    /changed nothing \(<0\.01%\); then maly-saab rounded\.$/,
  );
  assert.match(words({ method: "gptq", variant: null }), /spread over those still free/);
  assert.match(words({ method: "gpfq", variant: null }), /nearest to the float one/);
  assert.match(words({ method: "novel", variant: null }), /novel rounded this layer\./);
});

test("shapes are inputs to neurons, with the kernel of a Conv", () => {
  assert.equal(shapeInWords(layerReport("fc")), "200 → 100");
  assert.equal(shapeInWords(layerReport("c", { op: "Conv", shape: [32, 16, 3, 3] })), "16 → 32, 3×3");
});

const runtime = report().runtime!;

test("a copy is slower or faster only where the clock can tell", () => {
  assert.deepEqual(speedOf({ ...runtime, msFloat: 6, msQuantized: 12 }), { factor: 2, slower: true });
  assert.deepEqual(speedOf({ ...runtime, msFloat: 12, msQuantized: 6 }), { factor: 2, slower: false });
  assert.equal(speedOf({ ...runtime, msFloat: 6, msQuantized: 6.3 }), null);
  assert.equal(speedOf({ ...runtime, msFloat: 0 }), null);
});

test("random inputs are said once, loudest and first, and offer what helps", () => {
  const notes = notesOf(
    report({
      calibration: { samples: 40, heldOut: 8, synthetic: true },
      warnings: ["Measured on made-up inputs: …", "fc: half of the weights are zero."],
    }),
  );
  assert.deepEqual(
    notes.map(note => note.level),
    ["loud", "warning", "info", "info"],
  );
  assert.deepEqual(
    notes.map(note => note.offers),
    ["data", null, null, null],
  );
});

test("the runtime a copy needs comes with the reason", () => {
  assert.deepEqual(notesOf(report())[0]!.values, ["1.20", "4-bit weights, opset 21"]);
  const packed = report({ layers: [layerReport("fc", { format: "packed", bits: 2 })] });
  assert.deepEqual(notesOf(packed)[0]!.values, ["1.20", "opset 21"]);
});

test("browsers come last, WebAssembly and WebGPU apart", () => {
  const last = notesOf(report()).at(-1)!;
  assert.deepEqual(last.values, [runtime.webAssembly.reason, runtime.webGpu.reason]);
});

test("unpacked Conv weights are named where the copy is slower for them", () => {
  const slow = { ...runtime, msFloat: 6, msQuantized: 12 };
  const text = (layer: Parameters<typeof layerReport>[1]): string =>
    notesOf(report({ runtime: slow, layers: [layerReport("c", layer)] }))[0]!.text;
  assert.match(text({ op: "Conv" }), /unpacks Conv weights/);
  assert.equal(text({ op: "Gemm" }), "Slower than the float model here.");
});

test("a fit that came out worse than plain rounding says so once, and offers that", () => {
  const worse = { relativeError: 0.1, fittedRelativeError: 0.25, crossValidated: true };
  const warnings = ["On samples it has not seen, the fit is farther from the float model than plain rounding (…)"];
  const notes = notesOf(report({ rounding: worse, warnings, runtime: null }));
  assert.deepEqual(
    notes.map(({ offers, values }) => [offers, values]),
    [["rounding", ["25.0%", "10.0%"]]],
  );
  const better = { ...worse, fittedRelativeError: 0.05, crossValidated: false };
  assert.deepEqual(notesOf(report({ rounding: better, runtime: null })), []);
});

test("bits chosen within a budget come with what was foreseen and what came", () => {
  const sensitivities = [{ name: "fc", bits: 4, outputErrors: { 2: 0.2, 4: 0.04 }, outputDivergences: null }];
  const budget = {
    maxBytes: 50_000,
    maxError: null,
    predictedBytes: 49_152,
    predictedError: 0.04,
    chosenBy: "divergence",
  } as const;
  const [note] = notesOf(
    report({ runtime: null, bytesAfter: 51_200, budget: { ...budget, averageBits: 3.46, sensitivities } }),
  );
  assert.deepEqual(note!.values.slice(0, 4), ["3.5", "48 KB", "4.0%", "50 KB"]);
});

test("what a copy takes in memory is said, and that a smaller file need not be smaller there", () => {
  const { runtime } = report();
  const of = (residentBytesQuantized: number, smallerInMemory: boolean) =>
    notesOf(
      report({
        bytesBefore: 9000,
        bytesAfter: 1000,
        runtime: { ...runtime!, residentBytesFloat: 4 * 2 ** 20, residentBytesQuantized, smallerInMemory },
      }),
    )[1]!;
  assert.match(of(2 ** 20, true).text, /^Takes/);
  assert.deepEqual(of(2 ** 20, true).values, ["1 MB", "4 MB"]);
  assert.match(of(4 * 2 ** 20, false).text, /^Smaller on disk, not in memory/);
});

test("where no sample could be held out, the page says that its output error is too good, and gives the honest one", () => {
  const rounding = { relativeError: 0.3, fittedRelativeError: 0.07, crossValidated: true };
  const [note] = notesOf(report({ rounding, runtime: null }));
  assert.equal(note!.level, "warning");
  assert.match(note!.text, /looks too good/);
  assert.deepEqual(note!.values, ["7.0%", "30.0%"]);
});

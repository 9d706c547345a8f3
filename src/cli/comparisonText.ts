import { dbOf, percentOf, sizeOf } from "../core/report/words";
import type { ComparedModel, ComparedValue, Comparison, Difference, OneSide } from "../engine/compareModels";
import { table } from "./table";

/** A comparison for people: a row a weight, and the rest a sentence a line. */
export function comparisonText(found: Comparison): string {
  const { a, b, layers, tensors, data } = found;
  const differing = layers.filter(layer => !isEqual(layer));
  const rows = differing.map(layer => [
    layer.name,
    layer.op,
    layer.shape.join("x"),
    stored(layer.a),
    stored(layer.b),
    sizeOf(layer.a.bytes),
    sizeOf(layer.b.bytes),
    percentOf(layer.weightError),
    dbOf(layer.sqnrDb),
    percentOf(layer.biasError),
  ]);
  const head = ["layer", "operator", "shape", "A", "B", "bytes of A", "of B", "weight error", "SQNR", "bias error"];
  const weights = rows.length > 0 ? `${table(head, rows, new Set([0, 1, 3, 4]))}\n` : "";
  const lines = [
    modelText("A", a),
    modelText("B", b),
    ...(layers.length > 0 ? [`Weights that differ: ${differing.length} of ${layers.length}`] : []),
    ...tensors
      .slice(0, MOST_LINES)
      .map(one => `${one.name} reads other numbers: ${one.tensor} differs by ${percentOf(one.weightError)}`),
    ...(tensors.length > MOST_LINES
      ? [`… and ${tensors.length - MOST_LINES} more tensors; --json lists them`]
      : []),
    ...differences("Input", found.interface.inputs),
    ...differences("Output", found.interface.outputs),
    ...differences("Opset", found.interface.opsets),
    ...onlyIn("A", found.onlyInA),
    ...onlyIn("B", found.onlyInB),
    ...found.outputs.map(output => {
      const agreement = output.top1Agreement === null ? "" : `, same answer on ${percentOf(output.top1Agreement)}`;
      const cosine = output.cosine === null ? "" : `, cosine ${output.cosine.toFixed(6)}`;
      return `Output "${output.name}" on ${data.samples} ${data.synthetic ? "made-up inputs" : "samples"}: error ${percentOf(output.relativeError)}, ${dbOf(output.sqnrDb)}${cosine}${agreement}`;
    }),
  ];
  return `${weights}${lines.map(line => `${line}\n`).join("")}`;
}

const MOST_LINES = 12;

function isEqual({ a, b, weightError, biasError }: Comparison["layers"][number]): boolean {
  return weightError === 0 && (biasError ?? 0) === 0 && a.format === b.format && a.bits === b.bits;
}

function stored({ format, bits }: ComparedValue["a"]): string {
  return bits === null || format.endsWith(String(bits)) ? format : `${format} ${bits}`;
}

function modelText(side: string, one: ComparedModel): string {
  const time =
    one.msMedian === null
      ? ""
      : `, ${one.msMedian.toFixed(2)} ms a call (± ${((one.msSpread ?? 0) / 2).toFixed(2)})`;
  const folded = one.folded > 0 ? `, ${one.folded} BatchNormalization folded to compare` : "";
  return `${side}: ${one.model}, ${sizeOf(one.bytes)}, ${one.parameters.toLocaleString("en")} stored numbers, ${one.nodes} nodes${folded}${time}`;
}

function differences(what: string, list: readonly Difference[]): string[] {
  return list.map(({ name, a, b }) => `${what} ${name}: ${a ?? "none"} in A, ${b ?? "none"} in B`);
}

function onlyIn(side: string, { nodes, tensors }: OneSide): string[] {
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  const ops = [...counts].map(([op, count]) => `${count} ${op}`).join(", ");
  const bytes = tensors.reduce((sum, one) => sum + one.bytes, 0);
  const named = tensors.slice(0, 3).map(({ name }) => name);
  return [
    ...(nodes.length > 0 ? [`Only in ${side}: ${nodes.length} nodes (${ops})`] : []),
    ...(tensors.length > 0
      ? [
          `Only in ${side}: ${tensors.length} tensors, ${sizeOf(bytes)} (${named.join(", ")}${tensors.length > 3 ? ", …" : ""})`,
        ]
      : []),
  ];
}

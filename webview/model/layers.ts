import type { InspectedLayer, Inspection } from "../../src/engine/inspect";

export const LAYER_KEYS = ["order", "name", "op", "shape", "parameters", "bytes"] as const;
export type LayerKey = (typeof LAYER_KEYS)[number];
export interface LayerSort {
  readonly by: LayerKey;
  readonly down: boolean;
}

/** A layer of the table, with what its columns need. */
export interface LayerRow {
  readonly place: number;
  readonly layer: InspectedLayer;
  readonly parameters: number;
  /** Of the file. */
  readonly share: number;
  /** Of the largest layer: the length of the bar. */
  readonly bar: number;
}

export function layerRows({ layers, bytes }: Pick<Inspection, "layers" | "bytes">): readonly LayerRow[] {
  const most = Math.max(1, ...layers.map(layer => layer.bytes));
  return layers.map((layer, place) => ({
    place,
    layer,
    parameters: layer.shape.reduce((product, dim) => product * dim, 1),
    share: bytes > 0 ? layer.bytes / bytes : 0,
    bar: layer.bytes / most,
  }));
}

const names = new Intl.Collator(undefined, { numeric: true });

export function sortLayers(rows: readonly LayerRow[], { by, down }: LayerSort): readonly LayerRow[] {
  const way = down ? -1 : 1;
  return [...rows].sort((a, b) => way * compare(a, b, by) || a.place - b.place);
}

function compare(a: LayerRow, b: LayerRow, by: LayerKey): number {
  switch (by) {
    case "order":
      return a.place - b.place;
    case "name":
      return names.compare(a.layer.name, b.layer.name);
    case "op":
      return names.compare(a.layer.op, b.layer.op);
    case "shape":
    case "parameters":
      return a.parameters - b.parameters;
    case "bytes":
      return a.layer.bytes - b.layer.bytes;
    default:
      return by satisfies never;
  }
}

/** Words that must all be in the name, the operator or the tensor, in any case. */
export function filterLayers(rows: readonly LayerRow[], text: string): readonly LayerRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter(({ layer }) => {
    const all = `${layer.name} ${layer.op} ${layer.tensor}`.toLowerCase();
    return words.every(word => all.includes(word));
  });
}

import type { LayerReport } from "../../src/core/report/report";
import type { Run } from "../../src/protocol/pages";
import { shortNames } from "../shared/names";
import { barShare, roundUp } from "./scales";
import { worstOf } from "./worst";

// What the table shows, worked out of a run: nothing here knows of the page.

/** Which error the table compares. The best there is, and the same for all rows. */
export type Measure = "held-out" | "fitted" | "weights";

export interface Row {
  /** Place in the model. */
  readonly place: number;
  readonly name: string;
  /** The name without what all names share. */
  readonly label: string;
  readonly bits: number;
  readonly done: LayerReport | null;
  readonly error: number | null;
  /** Bytes; predicted until the layer is done. */
  readonly saved: number;
  readonly after: number;
  readonly worst: boolean;
}

export interface Table {
  readonly rows: readonly Row[];
  readonly measure: Measure;
  /** Where "worst" begins, of the same measure. */
  readonly limit: number | null;
  /** Ends of the scales that all rows share. */
  readonly errorEnd: number;
  readonly savedEnd: number;
}

export function tableOf(run: Run): Table {
  const measure = measureOf(run);
  const errors = run.rows.map(({ done }) => done && errorOf(done, measure));
  const { places, limit } = worstOf(errors);
  const labels = shortNames(run.rows.map(row => row.name));
  const rows = run.rows.map((row, place): Row => {
    const after = row.done?.bytesAfter ?? row.bytesAfter;
    return {
      place,
      name: row.name,
      label: labels[place]!,
      bits: row.done?.bits ?? row.bits,
      done: row.done,
      error: errors[place] ?? null,
      saved: row.bytesBefore - after,
      after,
      worst: places.has(place),
    };
  });
  return {
    rows,
    measure,
    limit,
    errorEnd: roundUp(Math.max(0, ...errors.map(error => error ?? 0))),
    // Known before the first layer is done, so this scale never moves.
    savedEnd: Math.max(1, ...run.rows.map(row => row.bytesBefore - row.bytesAfter)),
  };
}

function measureOf(run: Run): Measure {
  const done = run.rows.flatMap(row => row.done ?? []);
  if (done.length === 0 || done.some(layer => layer.layerErrorHeldOut !== null)) return "held-out";
  return done.some(layer => layer.layerError !== null) ? "fitted" : "weights";
}

export function errorOf(layer: LayerReport, measure: Measure): number | null {
  switch (measure) {
    case "held-out":
      return layer.layerErrorHeldOut;
    case "fitted":
      return layer.layerError;
    case "weights":
      return layer.weightError;
    default:
      return measure satisfies never;
  }
}

/** Error for each megabyte saved; null where there is no error or nothing is saved. */
export function errorPerMegabyte(row: Row): number | null {
  return row.error === null || row.saved <= 0 ? null : row.error / (row.saved / 2 ** 20);
}

export const SORT_KEYS = ["order", "error", "saved", "cost", "bits", "name"] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export interface Sort {
  readonly by: SortKey;
  readonly down: boolean;
}

/** The way a key is first sorted: what one looks for comes first. */
export function firstSort(by: SortKey): Sort {
  return { by, down: by === "error" || by === "saved" || by === "cost" };
}

/** Sorted, rows without a value last whichever the way, equals in the order of the model. */
export function sortRows(rows: readonly Row[], sort: Sort): readonly Row[] {
  const way = sort.down ? -1 : 1;
  if (sort.by === "name") return [...rows].sort((a, b) => way * compareNames(a.name, b.name));
  const value = valueOf(sort.by);
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || a.place - b.place;
    return way * (x - y) || a.place - b.place;
  });
}

function valueOf(by: Exclude<SortKey, "name">): (row: Row) => number | null {
  switch (by) {
    case "order":
      return row => row.place;
    case "error":
      return row => row.error;
    case "saved":
      return row => row.saved;
    case "cost":
      return errorPerMegabyte;
    case "bits":
      return row => row.bits;
    default:
      return by satisfies never;
  }
}

const names = new Intl.Collator(undefined, { numeric: true });
export const compareNames = (a: string, b: string): number => names.compare(a, b);

/** Words that must all be in the name, in any case; `@worst` and `@bits:4` are about the rest of a row. */
export function filterRows(rows: readonly Row[], text: string): readonly Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter(row =>
    words.every(word => {
      if (word === "@worst") return row.worst;
      const bits = /^@bits:(\d+)$/.exec(word);
      return bits ? row.bits === Number(bits[1]) : row.name.toLowerCase().includes(word);
    }),
  );
}

/** Bytes of the whole copy: as predicted, with the layers that are done as they turned out. */
export function bytesAfterOf(run: Run): number {
  return run.rows.reduce(
    (bytes, row) => bytes - row.bytesBefore + (row.done?.bytesAfter ?? row.bytesAfter),
    run.bytesBefore,
  );
}

/** Length of a row's error bar and of its saved bar, 0..1. */
export function barsOf(row: Row, table: Table, logarithmic: boolean): { error: number; saved: number } {
  return {
    error: barShare(row.error ?? 0, table.errorEnd, logarithmic),
    saved: barShare(row.saved, table.savedEnd, logarithmic),
  };
}

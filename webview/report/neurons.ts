import { html, svg, type TemplateResult } from "lit";
import { errorDigits, errorPercent } from "../shared/format";
import { t } from "../shared/text";
import { median, percentLength } from "./scales";
import { WORST_TIMES } from "./worst";

const HEIGHT = 40;
const TOP = 4;
/** More columns than this are narrower than a pixel of the widest panel. */
const MOST_COLUMNS = 400;
/** So many are named, and marked where they stand out. */
const NAMED = 3;

/** The errors of a layer's neurons, largest first, with the worst by name. */
export function neuronsView(errors: readonly (number | null)[]): TemplateResult {
  const sorted = errors
    .flatMap((error, neuron) => (error === null ? [] : { error, neuron }))
    .sort((a, b) => b.error - a.error);
  const worst = sorted.slice(0, NAMED);
  const most = worst[0]?.error ?? 0;
  const middle = median(sorted.map(one => one.error)) ?? 0;
  if (most === 0) return html`<p class="dim">${t("No neuron changed its answer.")}</p>`;
  const named = worst.map(({ neuron, error }) => `#${neuron} ${errorPercent(error)}`).join(", ");
  const label = t(
    "Error of {0} neurons, largest first. Worst: {1}; median {2}.",
    sorted.length,
    named,
    errorPercent(middle),
  );
  const columns = narrowed(sorted.map(one => one.error));
  const y = (error: number): number => HEIGHT - (error / most) * (HEIGHT - TOP);
  const marked = worst.filter(one => middle > 0 && one.error >= WORST_TIMES * middle).length;
  const width = 1 / columns.length;
  return html`<svg class="chart neurons" width="100%" height="42" role="img" aria-label=${label}>
      ${columns.map(
        (error, k) =>
          svg`<rect class=${k < marked && columns.length === sorted.length ? "worst" : "error"} x=${percentLength(k * width)} y=${y(error).toFixed(1)} width=${percentLength(width * 0.82)} height=${(HEIGHT - y(error)).toFixed(1)}></rect>`,
      )}
      <line class="halo" x1="0" x2="100%" y1=${y(middle)} y2=${y(middle)}></line>
      <line class="median" x1="0" x2="100%" y1=${y(middle)} y2=${y(middle)}></line>
      <text x="100%" y=${Math.max(11, y(middle) - 4)} text-anchor="end">
        ${t("median {0}", errorDigits(middle))}
      </text>
    </svg>
    <p class="dim">
      ${t("Worst:")}
      ${worst.map(({ neuron, error }, k) => html`${k > 0 ? ", " : ""}<span class="together"><b>#${neuron}</b> ${errorPercent(error)}</span>`)}
    </p>`;
}

/** At most so many columns, each the largest of the neurons it stands for. */
function narrowed(sorted: readonly number[]): readonly number[] {
  if (sorted.length <= MOST_COLUMNS) return sorted;
  return Array.from({ length: MOST_COLUMNS }, (_, k) => sorted[Math.floor((k * sorted.length) / MOST_COLUMNS)]!);
}

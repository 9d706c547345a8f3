import { html, svg, type TemplateResult } from "lit";
import type { GridHistogram } from "../../src/core/report/detail";
import { errorPercent, whole } from "../shared/format";
import { t } from "../shared/text";
import { percentLength, ticks } from "./scales";

const HEIGHT = 74;
const TOP = 6;
/** Beyond this many levels stems and dots run into each other, and a filled shape says more. */
const MOST_STEMS = 32;

/** The weights before, as a shape, and the levels they took, as stems, on one axis of levels. */
export function histogramView(histogram: GridHistogram): TemplateResult {
  const { levels, after, clipped } = histogram;
  const { from, to } = histogram;
  const before = densities(histogram);
  const most = Math.max(1, ...before, ...after);
  const x = (position: number): string => percentLength((position - from) / (to - from));
  const y = (count: number): number => HEIGHT - (count / most) * (HEIGHT - TOP);
  const largest = after.indexOf(Math.max(...after));
  const label = t(
    "Weights before and after quantization. After: {0} levels, most weights at level {1}; {2} were beyond the ends of the grid.",
    levels,
    largest,
    errorPercent(clipped),
  );
  const stems = levels <= MOST_STEMS;
  return html`<svg class="chart histogram" width="100%" height="90" role="img" aria-label=${label}>
      ${
        stems
          ? after.map(
              (_, level) => svg`<line class="level" x1=${x(level)} x2=${x(level)} y1=${TOP} y2=${HEIGHT}></line>`,
            )
          : null
      }
      <svg x="0" y="0" width="100%" height=${HEIGHT} viewBox="0 0 1000 ${HEIGHT}" preserveAspectRatio="none">
        <path class="before" d=${shape(before, y)}></path>
        ${stems ? null : svg`<path class="filled" d=${shape(spread(histogram), y)}></path>`}
      </svg>
      ${
        stems
          ? after.map((count, level) =>
              count === 0
                ? null
                : svg`<line class="stem" x1=${x(level)} x2=${x(level)} y1=${HEIGHT} y2=${y(count)}></line><circle class="tip" cx=${x(level)} cy=${y(count)} r="2.5"></circle>`,
            )
          : null
      }
      <line class="axis" x1="0" x2="100%" y1=${HEIGHT + 0.5} y2=${HEIGHT + 0.5}></line>
      ${levelTicks(levels).map(
        level => svg`<text x=${x(level)} y=${HEIGHT + 13} text-anchor="middle">${whole(level)}</text>`,
      )}
    </svg>
    <p class="key">
      <span><i class="swatch before" aria-hidden="true"></i>${t("before")}</span>
      <span><i class="swatch levels" aria-hidden="true"></i>${t("after, on the grid")}</span>
    </p>
    <p class="dim">
      ${
        clipped > 0
          ? t("{0} lay beyond the ends of the grid and were clipped.", errorPercent(clipped))
          : t("None lay beyond the ends of the grid.")
      }
    </p>`;
}

/** Counts before, as if each bin were one level wide, to be compared with counts a level. */
function densities({ before, from, to }: GridHistogram): readonly number[] {
  const perLevel = before.length / (to - from);
  return before.map(count => count * perLevel);
}

/** Counts after in bins one level wide that begin half a level below, over the same range as before. */
function spread({ after, from, to }: GridHistogram): readonly number[] {
  return Array.from({ length: 2 * (to - from) }, (_, half) => after[Math.floor(from + half / 2 + 0.5)] ?? 0);
}

/** A step for each entry, from the axis up and back, 1,000 units wide. */
function shape(counts: readonly number[], y: (count: number) => number): string {
  const step = 1000 / counts.length;
  const tops = counts.map((count, k) => `V${y(count).toFixed(1)}H${((k + 1) * step).toFixed(1)}`);
  return `M0 ${HEIGHT}${tops.join("")}V${HEIGHT}Z`;
}

function levelTicks(levels: number): readonly number[] {
  const last = levels - 1;
  const step = Math.max(1, ticks(last)[1] ?? 1);
  // The last level always has its number, so one that would run into it is left out.
  return [...ticks(last).filter(tick => Number.isInteger(tick) && last - tick > step / 2), last];
}

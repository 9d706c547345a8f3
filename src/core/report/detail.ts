/** What a row of the report opens to: more than a table needs, too much for the report's file. */
export interface LayerDetail {
  readonly name: string;
  readonly histogram: GridHistogram;
  /** Relative error of each neuron on the held-out rows (without any: on the fitted ones), [neurons]; null without rows. */
  readonly neuronErrors: readonly (number | null)[] | null;
}

/**
 * Where the weights lie on their grids. Every neuron has its own, so weights are counted in levels: position =
 * weight / step + zero point, and the values of the grid are the integers 0 .. levels - 1.
 */
export interface GridHistogram {
  readonly levels: number;
  /** Positions counted: from -1 to `levels`, the ends holding everything beyond. */
  readonly from: number;
  readonly to: number;
  /** Equal bins of that range. */
  readonly before: readonly number[];
  /** How many weights took each level, [levels]. */
  readonly after: readonly number[];
  /** Share of the weights beyond the outermost values, 0..1. */
  readonly clipped: number;
}

/** What a run spends its time on. */
export const EXPENSES = ["choosing", "onnxruntime", "gram", "method", "errors", "writing", "checking"] as const;
export type Expense = (typeof EXPENSES)[number];

/**
 * Seconds spent on each:
 * - `choosing`: bits within a budget;
 * - `onnxruntime`: forward passes of the float and the quantized network;
 * - `gram`: rows gathered (patches of convolutions), their products, and the alignment;
 * - `method`: rounding;
 * - `errors`: measuring what each layer lost;
 * - `writing`: the copy; `checking`: loading, running and comparing it.
 */
export type Cost = Readonly<Record<Expense, number>>;

/** Does some work and counts its seconds. */
export type Timed = <Result>(what: Expense, work: () => Promise<Result>) => Promise<Result>;

/** @param clock seconds since some moment. */
export function costs(clock: () => number): { timed: Timed; cost: Cost } {
  const cost = Object.fromEntries(EXPENSES.map(what => [what, 0])) as Record<Expense, number>;
  const timed: Timed = async (what, work) => {
    const started = clock();
    try {
      return await work();
    } finally {
      cost[what] += clock() - started;
    }
  };
  return { timed, cost };
}

import { numbersOf } from "../../core/calibration/convert";
import type { Tensor } from "../../core/calibration/tensor";
import { Failure } from "../../core/failure";
import { mapped, type Source } from "./source";

/** Texts as rows of T + 1 tokens: the first T are fed, and each is to be followed by the next. */
export interface Tokens {
  readonly fed: Source;
  /** Targets of a sample, [T]. */
  readonly targets: (sample: number) => Promise<number[]>;
}

/** @throws {Failure} `data-does-not-fit` for anything but integers [N, T + 1]. */
export function tokensOf(array: Source): Tokens {
  const [length] = array.dims;
  if (array.dims.length !== 1 || length === undefined || length < 2 || !/int/.test(array.type)) {
    throw new Failure(
      "data-does-not-fit",
      `${array.name} holds ${array.type} [${[array.count, ...array.dims].join(", ")}], and tokens are integers [N, T + 1].`,
      "Save a row of token ids for each text.",
    );
  }
  const fed = (row: Tensor): Tensor => ({
    type: row.type,
    dims: [length - 1],
    data: row.data.slice(0, length - 1),
  });
  return {
    fed: mapped(array, array.type, [length - 1], fed),
    targets: async sample => Array.from(numbersOf(await array.read(sample))).slice(1),
  };
}

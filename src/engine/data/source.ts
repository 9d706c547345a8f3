import type { Tensor, TensorType } from "../../core/calibration/tensor";

/** What one input of a model is fed, sample by sample: read when asked for, so that memory does not grow with their number. */
export interface Source {
  /** What to call it in a failure. */
  readonly name: string;
  readonly count: number;
  readonly type: TensorType;
  /** Of one sample; where samples differ in size, of the first. */
  readonly dims: readonly number[];
  read(sample: number): Promise<Tensor>;
}

/** One input of one call is in memory as a whole: a gigabyte as float32, more than any model takes that runs on this machine. */
export const MAX_CALL_ELEMENTS = 2 ** 28;

/** A source whose samples are made of those of another. */
export function mapped(
  source: Source,
  type: TensorType,
  dims: readonly number[],
  convert: (sample: Tensor) => Tensor,
): Source {
  return {
    name: source.name,
    count: source.count,
    type,
    dims,
    read: async sample => convert(await source.read(sample)),
  };
}

export function elements(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

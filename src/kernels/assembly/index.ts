// Everything the module exports. Pointers and sizes only: who allots the memory is told in ../wasmLinalg.ts.
import { product64 } from "./gemm";
export { setScratch, scratchBytes } from "./gemm";
export {
  cholesky,
  choleskyBelow,
  choleskyDiagonal,
  columnSums,
  crossRows,
  gramBlock,
  minPivotPanel,
  minPivotUpdate,
  solveColumns,
} from "./metric";
export { nearest, pack, roundingErrors } from "./grid";
export { diagonalize, formReflections, tridiagonalize } from "./eigen";
export { factorInputs, formTableau, kernelWalk, kernelWalkBytes } from "./kernelWalk";
export { metricNorms, squaredNorms } from "./norms";
export { refine } from "./refine";
export { sweep } from "./sweep";
export { walk, walkScratchBytes, walkStateBytes } from "./walk";

/** C += A B of row-major doubles: [m, k] times [k, n]. */
export function multiply(m: i32, n: i32, k: i32, a: usize, b: usize, c: usize, single: bool): void {
  product64(m, n, k, a, (<usize>k) << 3, 8, b, (<usize>n) << 3, 8, c, (<usize>n) << 3, 1, single);
}

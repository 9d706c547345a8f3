/** A row-major matrix: entry (i, j) is data[i * columns + j]. */
export interface Matrix<Data extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly rows: number;
  readonly columns: number;
  readonly data: Data;
}

export type Matrix64 = Matrix<Float64Array>;

export function zeros64(rows: number, columns: number): Matrix64 {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

/** Column j, in double precision. */
export function columnOf(matrix: Matrix, j: number): Float64Array {
  const column = new Float64Array(matrix.rows);
  for (let i = 0; i < matrix.rows; i++) column[i] = matrix.data[i * matrix.columns + j]!;
  return column;
}

/** At most `count` rows from one on; a view. */
export function rowsFrom<Data extends Float32Array | Float64Array>(
  { rows, columns, data }: Matrix<Data>,
  start: number,
  count: number,
): Matrix<Data> {
  const end = Math.min(rows, start + count);
  return { rows: end - start, columns, data: data.subarray(start * columns, end * columns) as Data };
}

export function transposed({ rows, columns, data }: Matrix): Matrix64 {
  const turned = zeros64(columns, rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) turned.data[j * rows + i] = data[i * columns + j]!;
  }
  return turned;
}

export function setColumn(matrix: Matrix, j: number, column: ArrayLike<number>): void {
  for (let i = 0; i < matrix.rows; i++) matrix.data[i * matrix.columns + j] = column[i]!;
}

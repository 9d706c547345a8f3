/**
 * Packs levels of 1, 2 or 4 bits into bytes, the first in the low bits, as ONNX packs its int4 and int2 tensors. The last
 * byte is filled with zeros.
 */
export function packLevels(levels: Uint8Array, bits: 1 | 2 | 4): Uint8Array {
  return packRows(levels, levels.length, bits);
}

/** The same row by row, so that each row of so many levels begins with a byte of its own. */
export function packRows(levels: Uint8Array, columns: number, bits: 1 | 2 | 4 | 8): Uint8Array {
  if (bits === 8) return levels;
  const perByte = 8 / bits;
  const rowBytes = Math.ceil(columns / perByte);
  const packed = new Uint8Array(columns === 0 ? 0 : rowBytes * (levels.length / columns));
  for (let row = 0; row * rowBytes < packed.length; row++) {
    for (let i = 0; i < columns; i++)
      packed[row * rowBytes + Math.floor(i / perByte)]! |= levels[row * columns + i]! << ((i % perByte) * bits);
  }
  return packed;
}

/**
 * Packs levels of 1, 2 or 4 bits into bytes, the first in the low bits, as ONNX packs its int4 and int2 tensors. The last
 * byte is filled with zeros.
 */
export function packLevels(levels: Uint8Array, bits: 1 | 2 | 4): Uint8Array {
  const perByte = 8 / bits;
  const packed = new Uint8Array(Math.ceil(levels.length / perByte));
  for (let i = 0; i < levels.length; i++) {
    packed[Math.floor(i / perByte)]! |= levels[i]! << ((i % perByte) * bits);
  }
  return packed;
}

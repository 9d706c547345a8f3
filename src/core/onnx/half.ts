/** The value of an IEEE half from its 16 bits. Node 20 has no Float16Array. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The 16 bits of the half nearest to a value, ties to even. */
export function numberToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  // 65,520 is half a step above the largest half, and the tie goes up.
  if (size >= 65520) return sign | 0x7c00;
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  // The step of halves of this size; rounding up into the next binade carries into the exponent by itself.
  const steps = roundToEven(size / 2 ** (exponent - 10));
  return sign | (((exponent + 14) << 10) + steps);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const over = value - below;
  return below + (over > 0.5 || (over === 0.5 && below % 2 === 1) ? 1 : 0);
}

const view = new DataView(new ArrayBuffer(4));

/** The value of a bfloat16, which is the upper half of a float32. */
export function bfloatToNumber(bits: number): number {
  view.setUint32(0, bits * 2 ** 16);
  return view.getFloat32(0);
}

/** The 16 bits of the bfloat16 nearest to a float32 value, ties to even. */
export function numberToBfloat(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  view.setFloat32(0, value);
  return roundToEven(view.getUint32(0) / 2 ** 16);
}

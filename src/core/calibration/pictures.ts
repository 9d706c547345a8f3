import type { Tensor } from "./tensor";

/** A picture in memory: [height, width, channels], each value 0..255; whole numbers where it had 8 bits. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for red, green, blue. */
  readonly channels: 1 | 3;
  readonly data: Uint8Array | Float32Array;
}

/** How a picture becomes an input: resized, cut, x = (u8 * scale - mean[c]) / std[c], laid out. */
export interface ImagePreprocessing {
  /** Short side in pixels, or [height, width] whatever the proportions; undefined: see `pictureTensor`. */
  readonly resize: number | readonly [number, number] | undefined;
  /** [height, width] cut out of the middle afterwards. */
  readonly crop: readonly [number, number] | undefined;
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly layout: "NCHW" | "NHWC";
  /** The channels are turned round first. */
  readonly bgr: boolean;
}

/** Of a picture that is not the model's size, 7/8 of the short side is used: 224 of 256, as ImageNet's networks are scored. */
const USED_SHARE = 7 / 8;

/** The short side a picture is resized to before so much is cut out of its middle. */
export function shortSideOf(height: number, width: number): number {
  return Math.round(Math.min(height, width) / USED_SHARE);
}

/** What a model wants of a picture; undefined sides are free. */
export interface PictureSize {
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly channels: 1 | 3;
}

/**
 * A picture as an input of a model, without the axis that counts samples.
 *
 * Where nothing is said about resizing, a picture of the model's size is taken as it is; any other is resized until its short
 * side is 8/7 of the model's, and the middle is cut out.
 */
export function pictureTensor(picture: Picture, pre: ImagePreprocessing, wanted: PictureSize): Tensor {
  const placed = withChannels(cut(picture, pre, wanted), wanted.channels);
  const { width, height, channels, data } = placed;
  const out = new Float32Array(data.length);
  const plane = width * height;
  for (let at = 0; at < data.length; at++) {
    const stored = at % channels;
    const channel = pre.bgr ? channels - 1 - stored : stored;
    const pixel = (at - stored) / channels;
    const to = pre.layout === "NCHW" ? channel * plane + pixel : pixel * channels + channel;
    out[to] = (data[at]! * pre.scale - pre.mean[channel % pre.mean.length]!) / pre.std[channel % pre.std.length]!;
  }
  const dims = pre.layout === "NCHW" ? [channels, height, width] : [height, width, channels];
  return { type: "float32", dims, data: out };
}

function cut(picture: Picture, pre: ImagePreprocessing, wanted: PictureSize): Picture {
  const size = [wanted.height ?? picture.height, wanted.width ?? picture.width] as const;
  const isRight = picture.height === size[0] && picture.width === size[1];
  if (pre.resize === undefined && pre.crop === undefined && isRight) return picture;
  const [height, width] = pre.crop ?? (typeof pre.resize === "object" ? pre.resize : size);
  const resize = pre.resize ?? shortSideOf(height, width);
  const [toHeight, toWidth] = typeof resize === "number" ? shortSide(picture, resize, height, width) : resize;
  return cropped(resized(picture, toHeight, toWidth), height, width);
}

/** Proportions kept, and no side shorter than what will be cut out. */
function shortSide(picture: Picture, side: number, height: number, width: number): [number, number] {
  const factor = Math.max(
    side / Math.min(picture.height, picture.width),
    height / picture.height,
    width / picture.width,
  );
  return [
    Math.max(height, Math.trunc(picture.height * factor + 1e-6)),
    Math.max(width, Math.trunc(picture.width * factor + 1e-6)),
  ];
}

function cropped(picture: Picture, height: number, width: number): Picture {
  if (picture.height === height && picture.width === width) return picture;
  const { channels } = picture;
  const top = Math.round((picture.height - height) / 2);
  const left = Math.round((picture.width - width) / 2);
  const data = picture.data.slice(0, height * width * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * channels;
    data.set(picture.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { width, height, channels, data };
}

/** Bilinear, with the triangle as wide as the step where a picture is made smaller, so that nothing is skipped (as Pillow does it). */
export function resized(picture: Picture, height: number, width: number): Picture {
  const across = resample(picture.data, picture.height, picture.width, picture.channels, width);
  // The same along columns: rows of one picture are the columns of the other.
  const down = resampleRows(across, picture.height, width * picture.channels, height);
  const data = picture.data instanceof Uint8Array ? Uint8Array.from(down, value => Math.round(value)) : down;
  return { width, height, channels: picture.channels, data };
}

interface Taps {
  readonly from: number;
  readonly weights: Float64Array;
}

/** For each of `to` places, the places of `from` it is made of. */
function taps(from: number, to: number): Taps[] {
  const step = from / to;
  const reach = Math.max(1, step);
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * step;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(from, Math.trunc(centre + reach + 0.5));
    const weights = Float64Array.from({ length: last - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k + 0.5 - centre) / reach)),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { from: first, weights: weights.map(weight => weight / sum) };
  });
}

function resample(
  data: ArrayLike<number>,
  height: number,
  width: number,
  channels: number,
  toWidth: number,
): Float32Array {
  const out = new Float32Array(height * toWidth * channels);
  const all = taps(width, toWidth);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < toWidth; x++) {
      const { from, weights } = all[x]!;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * data[(y * width + from + k) * channels + c]!;
        out[(y * toWidth + x) * channels + c] = sum;
      }
    }
  }
  return out;
}

function resampleRows(data: Float32Array, height: number, rowLength: number, toHeight: number): Float32Array {
  const out = new Float32Array(toHeight * rowLength);
  taps(height, toHeight).forEach(({ from, weights }, y) => {
    const row = out.subarray(y * rowLength, (y + 1) * rowLength);
    weights.forEach((weight, k) => {
      const source = data.subarray((from + k) * rowLength, (from + k + 1) * rowLength);
      for (let i = 0; i < rowLength; i++) row[i]! += weight * source[i]!;
    });
  });
  return out;
}

/** Grey as three equal channels, or colours as their luma (ITU-R 601, in the whole numbers of Pillow's "L"). */
function withChannels(picture: Picture, channels: 1 | 3): Picture {
  if (picture.channels === channels) return picture;
  const { width, height, data } = picture;
  const pixels = width * height;
  const of8Bits = data instanceof Uint8Array;
  const out = of8Bits ? new Uint8Array(pixels * channels) : new Float32Array(pixels * channels);
  for (let at = 0; at < pixels; at++) {
    if (channels === 3) out.fill(data[at]!, 3 * at, 3 * at + 3);
    else {
      const luma = 19_595 * data[3 * at]! + 38_470 * data[3 * at + 1]! + 7_471 * data[3 * at + 2]!;
      out[at] = of8Bits ? (luma + 0x8000) >> 16 : luma / 0x10000;
    }
  }
  return { width, height, channels, data: out };
}

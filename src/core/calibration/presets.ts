import type { ModelInput } from "./inputs";
import type { ImagePreprocessing, PictureSize } from "./pictures";

/** What a data file says of preprocessing; the layout may be left to the shape of the model's input. */
export type PictureSteps = Omit<ImagePreprocessing, "layout"> & {
  readonly layout: ImagePreprocessing["layout"] | undefined;
};

type Scaling = Pick<ImagePreprocessing, "scale" | "mean" | "std" | "bgr">;

/** How the usual frameworks feed pictures. */
export const PRESETS = {
  /** torchvision, and most models of the ONNX model zoo. */
  imagenet: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], bgr: false },
  "zero-one": { scale: 1 / 255, mean: [0], std: [1], bgr: false },
  /** Keras Applications' "tf" mode. */
  "minus-one-one": { scale: 1, mean: [127.5], std: [127.5], bgr: false },
  /** Caffe, and Keras Applications' "caffe" mode. */
  caffe: { scale: 1, mean: [103.939, 116.779, 123.68], std: [1], bgr: true },
  raw: { scale: 1, mean: [0], std: [1], bgr: false },
} as const satisfies Record<string, Scaling>;
export type Preset = keyof typeof PRESETS;

export function isPreset(name: string): name is Preset {
  return Object.hasOwn(PRESETS, name);
}

/**
 * The preset a model most likely wants: integers take pictures as they are, one channel 0..1, channels first is how PyTorch
 * exports (and torchvision trains), channels last how Keras does.
 */
export function likelyPreset(input: ModelInput): Preset {
  if (!input.type.startsWith("float")) return "raw";
  if (channelsOf(input) === 1) return "zero-one";
  return layoutOf(input) === "NHWC" ? "minus-one-one" : "imagenet";
}

const isChannels = (dim: number | string | undefined): boolean => dim === 1 || dim === 3;

/** Channels come last where the last axis could be channels and the one after the first could not. */
export function layoutOf({ dims }: ModelInput): ImagePreprocessing["layout"] {
  const image = dims?.slice(-3) ?? [];
  return image.length === 3 && isChannels(image[2]) && !isChannels(image[0]) ? "NHWC" : "NCHW";
}

function channelsOf(input: ModelInput): 1 | 3 {
  const image = input.dims?.slice(-3) ?? [];
  return image[layoutOf(input) === "NHWC" ? 2 : 0] === 1 ? 1 : 3;
}

/** The size an input of four axes wants; null where the input is no picture. */
export function pictureSizeOf(input: ModelInput, layout: ImagePreprocessing["layout"]): PictureSize | null {
  if (!input.dims || input.dims.length < 3 || input.dims.length > 4) return null;
  const [a, b, c] = input.dims.slice(-3);
  const [channels, height, width] = layout === "NCHW" ? [a, b, c] : [c, a, b];
  if (typeof channels === "number" && !isChannels(channels)) return null;
  const side = (dim: number | string | undefined): number | undefined =>
    typeof dim === "number" ? dim : undefined;
  return { height: side(height), width: side(width), channels: channels === 1 ? 1 : 3 };
}

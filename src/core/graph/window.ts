import { intAttribute, intsAttribute, stringAttribute } from "../onnx/attributes";
import type { NodeProto } from "../onnx/onnx_pb";

/** How a 2-D convolution slides over its input; pairs are [height, width]. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly groups: number;
  /** [top, left, bottom, right], or where the padding follows from the input's size. */
  readonly pads: readonly [number, number, number, number] | "SAME_UPPER" | "SAME_LOWER";
}

/** The window of a 2-D Conv node with a kernel of the given shape [neurons, channels / groups, height, width]. */
export function windowOf(node: NodeProto, shape: readonly number[]): Window {
  const pair = (name: string): [number, number] => {
    const values = intsAttribute(node, name);
    return [values?.[0] ?? 1, values?.[1] ?? 1];
  };
  const auto = stringAttribute(node, "auto_pad", "NOTSET");
  const pads = intsAttribute(node, "pads") ?? [];
  return {
    kernel: [shape[2]!, shape[3]!],
    strides: pair("strides"),
    dilations: pair("dilations"),
    groups: intAttribute(node, "group", 1),
    pads:
      auto === "SAME_UPPER" || auto === "SAME_LOWER"
        ? auto
        : auto === "VALID"
          ? [0, 0, 0, 0]
          : [pads[0] ?? 0, pads[1] ?? 0, pads[2] ?? 0, pads[3] ?? 0],
  };
}

/** A window placed on an input of a known size. */
export interface Placed {
  readonly top: number;
  readonly left: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
}

/** @see ONNX operator Conv: with SAME the output is ceil(input / stride) and an odd pad goes to the end (UPPER) or start (LOWER). */
export function place(window: Window, height: number, width: number): Placed {
  const vertical = placeAxis(window, 0, height);
  const horizontal = placeAxis(window, 1, width);
  return {
    top: vertical.before,
    left: horizontal.before,
    outputHeight: vertical.output,
    outputWidth: horizontal.output,
  };
}

function placeAxis(
  { kernel, strides, dilations, pads }: Window,
  axis: 0 | 1,
  size: number,
): { before: number; output: number } {
  const extent = (kernel[axis] - 1) * dilations[axis] + 1;
  if (pads === "SAME_UPPER" || pads === "SAME_LOWER") {
    const output = Math.ceil(size / strides[axis]);
    const total = Math.max(0, (output - 1) * strides[axis] + extent - size);
    return { before: pads === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2), output };
  }
  const padded = size + pads[axis] + pads[axis + 2]!;
  return { before: pads[axis], output: Math.floor((padded - extent) / strides[axis]) + 1 };
}

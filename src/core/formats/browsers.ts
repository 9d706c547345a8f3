import { gridOf } from "./codes";
import type { StoredLayer } from "./copy";
import { isEmbedding } from "./embedding";
import { type Release, releaseName } from "./versions";

// What is known of copies in browsers. WebAssembly is the processor part of onnxruntime and runs in Node, too: of 1006 copies all
// were right there from the release on that computes them right elsewhere, none before, on 1.20.1, 1.23.2, 1.24.3, 1.26.0 and
// 1.30.0 (`npm run bench:versions -- web-1.30.0`, versions.md), and within 1e-3: it has no int8 activations. WebGPU was not run, as
// it takes a graphics card: what it has kernels for is read from onnxruntime's source (core/providers/webgpu,
// contrib_ops/webgpu) and found in the binary of onnxruntime-web 1.30.0. What it has none for runs on the processor, and the
// values go to and fro. Before 1.29 the WebGPU of onnxruntime-web was another program, which computes some DequantizeLinear
// wrong (onnxruntime#32578).

export interface InBrowser {
  readonly runs: boolean;
  /** Since which release and how, or why not, in a sentence or two. */
  readonly reason: string;
}

/** The oldest onnxruntime-web that was tried; 1.17 does not load in Node. */
const OLDEST_WEB: Release = 20;

/** @param least the least release that computes the copy right on processors. */
export function inWebAssembly(least: Release): InBrowser {
  const since = releaseName(Math.max(least, OLDEST_WEB));
  return { runs: true, reason: `Right from onnxruntime-web ${since} on, without int8 activations.` };
}

/** The release of onnxruntime-web whose WebGPU was looked at. */
const WEBGPU_RELEASE: Release = 30;

/** What WebGPU has no kernel for, as a clause; undefined for what it computes itself. */
function onProcessor(stored: StoredLayer): string | undefined {
  const { alphabet, bits } = gridOf(stored);
  if (stored.format === "qdq" && bits === 2) return "DequantizeLinear of 2 bits";
  if (stored.format === "nbits" && alphabet === "midrise") return "MatMulNBits with half zero points";
  return isEmbedding(stored) ? "looking up bytes" : undefined;
}

export function onWebGpu(layers: readonly StoredLayer[]): InBrowser {
  const since = `From onnxruntime-web ${releaseName(WEBGPU_RELEASE)} on, by its source; it was not run.`;
  const left = layers.flatMap(layer => onProcessor(layer) ?? []);
  if (left.length > 0) {
    const kinds = [...new Set(left)].join(", ");
    const reason = `${since} ${left.length} of ${layers.length} layers wait for the processor: WebGPU has no kernel for ${kinds}.`;
    return { runs: true, reason };
  }
  const how = layers.every(({ format }) => format === "packed")
    ? "The weights are floats once the model is loaded."
    : "All weights are unpacked or multiplied there.";
  return { runs: true, reason: `${since} ${how}` };
}

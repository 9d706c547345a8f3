import { readFileWhole, unreadable } from "./bytes";

/** An hour of 16-bit stereo at 48 kHz has 660 MB; nobody calibrates on more than some minutes. */
const MAX_FILE_BYTES = 2 ** 28;
const PCM = 1;
const FLOAT = 3;
/** The format's number then stands further on (WAVEFORMATEXTENSIBLE). */
const EXTENSIBLE = 0xfffe;

/** One channel of sound, -1..1; several channels are averaged. */
export interface Wav {
  readonly samples: Float32Array;
  readonly rate: number;
}

/**
 * Reads a RIFF WAVE file of 8-, 16-, 24- or 32-bit integers or 32-bit floats.
 *
 * @throws {Failure} `data-missing` or `data-unreadable`, with the cause.
 */
export async function readWav(path: string): Promise<Wav> {
  const bytes = await readFileWhole(path, MAX_FILE_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE") throw unreadable(path, "is not a WAV file");
  let format: { code: number; channels: number; rate: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const [kind, size] = [tag(at), view.getUint32(at + 4, true)];
    const start = at + 8;
    if (kind === "fmt " && size >= 16 && start + size <= bytes.length) {
      const code = view.getUint16(start, true);
      format = {
        code: code === EXTENSIBLE && size >= 26 ? view.getUint16(start + 24, true) : code,
        channels: view.getUint16(start + 2, true),
        rate: view.getUint32(start + 4, true),
        bits: view.getUint16(start + 14, true),
      };
    }
    if (kind === "data") {
      if (!format) throw unreadable(path, "does not say how its sound is stored");
      if (start + size > bytes.length) {
        throw unreadable(path, `ends at byte ${bytes.length}, and its sound should reach byte ${start + size}`);
      }
      return { samples: mono(path, view, start, size, format), rate: format.rate };
    }
    // Pieces begin at even places.
    at = start + size + (size % 2);
  }
  throw unreadable(path, "holds no sound");
}

function mono(
  path: string,
  view: DataView,
  start: number,
  size: number,
  { code, channels, bits }: { code: number; channels: number; bits: number },
): Float32Array {
  const read = readerOf(view, code, bits);
  if (!read || channels === 0) {
    throw unreadable(
      path,
      `stores ${channels} channels of ${bits} bits in format ${code}`,
      "Save it as 16-bit PCM.",
    );
  }
  const width = bits / 8;
  const samples = new Float32Array(Math.floor(size / (width * channels)));
  for (let k = 0; k < samples.length; k++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(start + (k * channels + c) * width);
    samples[k] = sum / channels;
  }
  return samples;
}

function readerOf(view: DataView, code: number, bits: number): ((at: number) => number) | undefined {
  if (code === FLOAT && bits === 32) return at => view.getFloat32(at, true);
  if (code !== PCM) return undefined;
  switch (bits) {
    case 8:
      return at => (view.getUint8(at) - 128) / 128;
    case 16:
      return at => view.getInt16(at, true) / 32_768;
    case 24:
      return at => (view.getUint16(at, true) + view.getInt8(at + 2) * 65_536) / 8_388_608;
    case 32:
      return at => view.getInt32(at, true) / 2_147_483_648;
    default:
      return undefined;
  }
}

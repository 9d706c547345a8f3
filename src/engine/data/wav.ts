import { type Bytes, unreadable } from "./bytes";

/** Files met have at most ten pieces; a forged one could have a hundred million. */
const MAX_PIECES = 1000;
const PCM = 1;
const FLOAT = 3;
/** The format's number then stands further on (WAVEFORMATEXTENSIBLE). */
const EXTENSIBLE = 0xfffe;
/** As much of a format piece as says something. */
const FORMAT_BYTES = 40;

/** One channel of sound, -1..1, read in stretches; several channels are averaged. */
export interface Wav {
  /** Samples of a channel. */
  readonly length: number;
  /** Samples a second. */
  readonly rate: number;
  read(from: number, count: number): Promise<Float32Array>;
}

interface Format {
  readonly code: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

/**
 * Opens a RIFF WAVE file of 8-, 16-, 24- or 32-bit integers or 32-bit floats.
 *
 * @throws {Failure} `data-unreadable`, with the cause.
 */
export async function openWav(bytes: Bytes): Promise<Wav> {
  const { name, size: end } = bytes;
  const head = end < 12 ? undefined : await bytes.read(0, 12);
  if (!head || tag(head, 0) !== "RIFF" || tag(head, 8) !== "WAVE") throw unreadable(name, "is not a WAV file");
  let format: Format | undefined;
  let at = 12;
  for (let piece = 0; at + 8 <= end && piece < MAX_PIECES; piece++) {
    const start = at + 8;
    const title = await bytes.read(at, 8);
    const [kind, size] = [tag(title, 0), viewOf(title).getUint32(4, true)];
    if (kind === "fmt " && size >= 16 && start + size <= end)
      format = formatOf(await bytes.read(start, Math.min(size, FORMAT_BYTES)));
    if (kind === "data") {
      if (!format) throw unreadable(name, "does not say how its sound is stored");
      if (start + size > end)
        throw unreadable(name, `ends at byte ${end}, and its sound should reach byte ${start + size}`);
      return soundOf(bytes, start, size, format);
    }
    // Pieces begin at even places.
    at = start + size + (size % 2);
  }
  throw unreadable(name, "holds no sound");
}

function formatOf(piece: Uint8Array): Format {
  const view = viewOf(piece);
  const code = view.getUint16(0, true);
  return {
    code: code === EXTENSIBLE && piece.length >= 26 ? view.getUint16(24, true) : code,
    channels: view.getUint16(2, true),
    rate: view.getUint32(4, true),
    bits: view.getUint16(14, true),
  };
}

function soundOf(bytes: Bytes, start: number, size: number, { code, channels, rate, bits }: Format): Wav {
  const value = readerOf(code, bits);
  if (!value || channels === 0) {
    throw unreadable(
      bytes.name,
      `stores ${channels} channels of ${bits} bits in format ${code}`,
      "Save it as 16-bit PCM.",
    );
  }
  const width = bits / 8;
  return {
    length: Math.floor(size / (width * channels)),
    rate,
    async read(from, count) {
      const stretch = channels * width;
      const view = viewOf(await bytes.read(start + from * stretch, count * stretch));
      return Float32Array.from({ length: count }, (_, k) => {
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += value(view, (k * channels + c) * width);
        return sum / channels;
      });
    },
  };
}

function readerOf(code: number, bits: number): ((view: DataView, at: number) => number) | undefined {
  if (code === FLOAT && bits === 32) return (view, at) => view.getFloat32(at, true);
  if (code !== PCM) return undefined;
  switch (bits) {
    case 8:
      return (view, at) => (view.getUint8(at) - 128) / 128;
    case 16:
      return (view, at) => view.getInt16(at, true) / 32_768;
    case 24:
      return (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65_536) / 8_388_608;
    case 32:
      return (view, at) => view.getInt32(at, true) / 2_147_483_648;
    default:
      return undefined;
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

const tag = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

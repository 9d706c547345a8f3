import { ensureBytes } from "./module";
import type { SharedMemory } from "./webAssembly";

/** Vectors are read at multiples of 16; 64 keeps matrices on their own cache lines. */
const ALIGNMENT = 64;

/** Kernels have no more memory to work in. */
export class OutOfKernelMemory extends Error {
  override readonly name = "OutOfKernelMemory";

  constructor(
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(
      `The layer needs ${Math.ceil(bytes / 2 ** 20)} MB to work in, more than the ${limit / 2 ** 20} MB allowed.`,
    );
  }
}

interface Piece {
  readonly start: number;
  readonly bytes: number;
}

/** Hands out pieces of the shared memory, first fit; few and large ones, so a sorted list is all it takes. */
export class Heap {
  private readonly used: Piece[] = [];
  private peak = 0;

  /**
   * @param first where the heap begins.
   * @param limit bytes the heap may take; 32-bit addresses end at 4 GiB.
   */
  constructor(
    private readonly memory: SharedMemory,
    private readonly first: number,
    private readonly limit = 2 ** 32 - first,
  ) {}

  /** The most bytes that were taken at once. */
  get peakBytes(): number {
    return this.peak;
  }

  /** @throws {OutOfKernelMemory} */
  allocate(bytes: number): number {
    const size = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    let start = Math.ceil(this.first / ALIGNMENT) * ALIGNMENT;
    let index = 0;
    for (; index < this.used.length; index++) {
      const piece = this.used[index]!;
      if (piece.start - start >= size) break;
      start = piece.start + piece.bytes;
    }
    if (start + size - this.first > this.limit) throw new OutOfKernelMemory(start + size - this.first, this.limit);
    try {
      ensureBytes(this.memory, start + size);
    } catch {
      throw new OutOfKernelMemory(start + size - this.first, this.memory.buffer.byteLength);
    }
    this.used.splice(index, 0, { start, bytes: size });
    this.peak = Math.max(
      this.peak,
      this.used.reduce((sum, piece) => sum + piece.bytes, 0),
    );
    return start;
  }

  free(start: number): void {
    const index = this.used.findIndex(piece => piece.start === start);
    if (index < 0) throw new Error(`Nothing was allotted at ${start}.`);
    this.used.splice(index, 1);
  }

  /** Runs a loop and frees whatever it allotted, also when it fails. */
  async during<Result>(loop: (allocate: (bytes: number) => number) => Promise<Result>): Promise<Result> {
    const pieces: number[] = [];
    try {
      return await loop(bytes => {
        const start = this.allocate(bytes);
        pieces.push(start);
        return start;
      });
    } finally {
      for (const start of pieces) this.free(start);
    }
  }

  f64(start: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, start, length);
  }

  i32(start: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, start, length);
  }

  u8(start: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, start, length);
  }
}

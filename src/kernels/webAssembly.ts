// TypeScript has the types of WebAssembly only together with those of a browser page; this is the little that is used here.

/** Memory that every thread sees; views taken before it grew stay good, but do not reach what was added. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

declare const compiled: unique symbol;
/** A compiled module; it may be posted to worker threads. */
export interface CompiledModule {
  readonly [compiled]: true;
}

interface WebAssemblyInterface {
  compile(bytes: Uint8Array): Promise<CompiledModule>;
  Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => SharedMemory;
  Instance: new (module: CompiledModule, imports: { env: { memory: SharedMemory } }) => { exports: unknown };
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyInterface }).WebAssembly;

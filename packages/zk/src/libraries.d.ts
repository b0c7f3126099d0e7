/** What our tools and tests use of two libraries that bring no types. */
declare module 'ffjavascript' {
  export type WasmGroup = { readonly prefix: string; readonly gAffine: Uint8Array }
  export type Curve = {
    readonly q: bigint
    readonly F1: { readonly n8: number }
    readonly Fr: {
      readonly w: readonly Uint8Array[]
      readonly one: Uint8Array
      toString(element: Uint8Array): string
    }
    readonly G1: WasmGroup
    readonly G2: WasmGroup
    readonly tm: {
      readonly instance: {
        readonly exports: Readonly<Record<string, ((...args: number[]) => void) | undefined>>
      }
      readonly memory: WebAssembly.Memory
      u8: Uint8Array
      u32: Uint32Array
      alloc(bytes: number): number
      setBuff(at: number, bytes: Uint8Array): void
      getBuff(at: number, bytes: number): Uint8Array
    }
    terminate(): Promise<void>
  }
  export class ChaCha {
    constructor(seed: readonly number[])
    nextU64(): bigint
  }
  export function buildBn128(singleThread?: boolean): Promise<Curve>
}

declare module '@iden3/binfileutils' {
  export type BinFile = {
    write(bytes: Uint8Array): Promise<void>
    writeULE32(value: number): Promise<void>
    close(): Promise<void>
  }
  export function createBinFile(
    path: string,
    type: string,
    version: number,
    sections: number,
  ): Promise<BinFile>
  export function startWriteSection(file: BinFile, id: number): Promise<void>
  export function endWriteSection(file: BinFile): Promise<void>
}
/** What our tools and tests use of snarkjs, which brings no types. */
declare module 'snarkjs' {
  export type SignalValue = bigint | readonly SignalValue[]
  export type SignalInput = Readonly<Record<string, SignalValue>>
  export const groth16: {
    verify(key: object, publicSignals: readonly string[], proof: object): Promise<boolean>
  }
  export const zKey: {
    newZKey(r1cs: string, tau: string, key: string): Promise<unknown>
    beacon(
      from: string,
      to: string,
      name: string,
      beacon: string,
      iterations: number,
    ): Promise<unknown>
    contribute(from: string, to: string, name: string, entropy: string): Promise<unknown>
    verifyFromR1cs(r1cs: string, tau: string, key: string): Promise<boolean>
    exportVerificationKey(key: string): Promise<object>
  }
  export const wtns: {
    calculate(
      input: SignalInput,
      wasm: Uint8Array,
      out: { type: 'mem'; data?: Uint8Array },
    ): Promise<void>
    exportJson(witness: { type: 'mem'; data?: Uint8Array }): Promise<readonly bigint[]>
  }
}

declare module 'r1csfile' {
  /** Factor of each wire. */
  export type LinearCombination = Readonly<Record<string, bigint>>
  export type R1cs = {
    readonly constraints: readonly (readonly Readonly<Record<string, Uint8Array>>[])[]
    readonly F: { toObject(element: Uint8Array): bigint }
    readonly curve: { terminate(): Promise<void> }
  }
  export function readR1cs(
    path: string,
    options: { readonly loadConstraints: boolean; readonly singleThread: boolean },
  ): Promise<R1cs>
}

/** What Byway uses of WebAssembly, whose types come with browsers' only. */
declare namespace WebAssembly {
  class Memory {
    constructor(size: { readonly initial: number })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Module {
    constructor(code: Uint8Array)
    readonly [Symbol.toStringTag]: string
  }
  class Instance {
    constructor(
      module: Module,
      imports: Readonly<
        Record<string, Readonly<Record<string, Memory | ((code: number) => void)>>>
      >,
    )
    readonly exports: Readonly<Record<string, unknown>>
  }
}

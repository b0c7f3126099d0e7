/** What arbitrary values of layouts are made of. */
import fc from 'fast-check'

export const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
export const someBytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength, size: 'max' })
export const nonZero = (length: number): fc.Arbitrary<Uint8Array> =>
  bytes(length).filter((id) => id.some((byte) => byte !== 0))
export const u8: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xff })
export const u16: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff })
export const u32: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff_ffff })
export const u64: fc.Arbitrary<number> = fc.maxSafeNat()

/** A record with an ordinary prototype, which deepEqual compares. */
export function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true })
}

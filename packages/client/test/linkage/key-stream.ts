/** Keys of a test that runs the same from the same seed. */
import { createCipheriv, createHash } from 'node:crypto'

/** Bytes as from a random source, the same for one seed and label: the key stream of a cipher. */
export function createKeyStream(seed: number, label: string): (count: number) => Uint8Array {
  const key = createHash('sha256').update(`${seed} ${label}`).digest()
  const cipher = createCipheriv('aes-256-ctr', key, new Uint8Array(16))
  return (count) => new Uint8Array(cipher.update(new Uint8Array(count)))
}

/** A secret of a deposit: below the order of the field. */
export function freshSecret(randomBytes: (count: number) => Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(randomBytes(31)).toString('hex')}`)
}

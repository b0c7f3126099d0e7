/** The bloom of a block's header (Yellow Paper §4.4.1): which contracts can have no log in it. */
import { keccak256 } from 'viem/utils'
import type { Hex } from '@byway/protocol/payment'
import { field } from '../rpc/parse.ts'
import { encodeHeader } from './block-header.ts'

/** False: no log of the contracts is in a block whose header has this bloom. */
export type MayHaveLogs = (bloom: Hex) => boolean

const BLOOM_BYTES = 256
const FORM = /^0x[0-9a-f]{512}$/
/** Of a bloom, set for each address: as many as pairs of bytes are taken of its hash. */
const BITS = 3
const BIT_MASK = 8 * BLOOM_BYTES - 1

/** Looks for contracts. */
export function lookForLogs(addresses: readonly Hex[]): MayHaveLogs {
  const places = addresses.map(bitsOf)
  return (bloom) => {
    const bits = Buffer.from(bloom.slice(2), 'hex')
    const isSet = (bit: number): boolean =>
      ((bits[BLOOM_BYTES - 1 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0
    return places.some((place) => place.every(isSet))
  }
}

/** The bloom of a block as an endpoint tells it; undefined where the block's hash does not prove it, as on chains whose headers have another form. */
export function provenBloom(block: unknown): Hex | undefined {
  const bloom = field(block, 'logsBloom')
  const isProven = typeof bloom === 'string' && FORM.test(bloom) && encodeHeader(block)
  return isProven ? (bloom as Hex) : undefined
}

function bitsOf(address: Hex): readonly number[] {
  const hash = keccak256(address, 'bytes')
  const view = new DataView(hash.buffer, hash.byteOffset)
  return Array.from({ length: BITS }, (_, i) => view.getUint16(2 * i) & BIT_MASK)
}

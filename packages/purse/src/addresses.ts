/** Addresses as people read them: `0x` and 40 hexadecimal digits whose case is a checksum (EIP-55). */
import { fromHex, isAllZero, toHex } from '@byway/protocol/base'
import { getAddress } from 'viem/utils'
import { ADDRESS_BYTES } from './keys.ts'
import { purseError } from './errors.ts'

/** Writes 20 bytes as a checksummed address. */
export function formatAddress(address: Uint8Array): string {
  return getAddress(`0x${toHex(address)}`)
}

/**
 * Reads an address that money will go to. One in a single case is refused too: it carries no checksum, and a slip of the finger would not be found.
 * @throws PURSE_ADDRESS
 */
export function parseAddress(text: string): Uint8Array {
  const [, digits = ''] = /^0x([0-9a-fA-F]{40})$/.exec(text) ?? []
  const bytes = fromHex(digits)
  if (bytes?.length !== ADDRESS_BYTES) throw purseError('PURSE_ADDRESS', { problem: 'format' })
  if (isAllZero(bytes)) throw purseError('PURSE_ADDRESS', { problem: 'zero' })
  if (formatAddress(bytes) !== text) throw purseError('PURSE_ADDRESS', { problem: 'checksum' })
  return bytes
}

/** Judged addresses in the form of the wire (SPEC §7.1). The way back is `toIpAddress` of `@byway/protocol/directory`. */
import type { IpAddress } from '@byway/protocol/policy'
import type { IpBytes } from '@byway/protocol/wire'

/** Writes an address as 4 or 16 bytes. */
export function toIpBytes({ family, value }: IpAddress): IpBytes {
  const bytes = new Uint8Array(family === 4 ? 4 : 16)
  let rest = value
  for (let at = bytes.length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return { family, bytes }
}

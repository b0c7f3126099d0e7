/**
 * Reads gateways from Linux's routing tables, `/proc/net/route` and `/proc/net/ipv6_route` (proc(5)). Pure: text in, addresses out.
 * Every route's gateway counts, not the default's alone: a VPN or a second router is as much a neighbour.
 */
import { formatAddress } from '@byway/protocol/policy'

/** Gateways in `/proc/net/route`: the third column, eight hexadecimal digits in host order. */
export function readIpv4Gateways(text: string, isLittleEndian: boolean): readonly string[] {
  return unique(
    rowsOf(text).flatMap((fields) => {
      const gateway = fields[2] ?? ''
      if (!/^[0-9A-Fa-f]{8}$/.test(gateway) || /^0+$/.test(gateway)) return []
      const bytes = Buffer.from(gateway, 'hex')
      const value = isLittleEndian ? bytes.readUInt32LE() : bytes.readUInt32BE()
      return [formatAddress({ family: 4, value: BigInt(value) })]
    }),
  )
}

/** Gateways in `/proc/net/ipv6_route`: the fifth column, 32 hexadecimal digits in network order. */
export function readIpv6Gateways(text: string): readonly string[] {
  return unique(
    rowsOf(text).flatMap((fields) => {
      const gateway = fields[4] ?? ''
      if (!/^[0-9A-Fa-f]{32}$/.test(gateway) || /^0+$/.test(gateway)) return []
      return [formatAddress({ family: 6, value: BigInt(`0x${gateway}`) })]
    }),
  )
}

function rowsOf(text: string): readonly (readonly string[])[] {
  return text.split('\n').map((line) => line.trim().split(/\s+/))
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)]
}

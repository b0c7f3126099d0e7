/** Which of the host's addresses and routes lead to a router. Pure. @module */
import { BlockList, isIPv4 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

/** The gateway of the default route in `/proc/net/route` (proc(5)); nothing without one. Addresses stand there in the order of x86 and ARM. */
export function defaultGateway(text: string): string | undefined {
  for (const line of text.split('\n').slice(1)) {
    const [, destination, gateway = ''] = line.trim().split(/\s+/)
    if (destination !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway)) continue
    if (/^0+$/.test(gateway)) continue
    return Buffer.from(gateway, 'hex').toReversed().join('.')
  }
  return undefined
}

/** Our own IPv4 address on the network of a gateway; nothing where it is on none. */
export function localAddressFor(
  gateway: string,
  interfaces: readonly (NetworkInterfaceInfo | undefined)[],
): string | undefined {
  if (!isIPv4(gateway)) return undefined
  for (const each of interfaces) {
    if (each?.family !== 'IPv4' || each.internal || each.cidr === null) continue
    const network = new BlockList()
    network.addSubnet(each.address, Number(each.cidr.split('/')[1]), 'ipv4')
    if (network.check(gateway, 'ipv4')) return each.address
  }
  return undefined
}

/** Own IPv4 addresses on networks that others are on. */
export function ownAddresses(
  interfaces: readonly (NetworkInterfaceInfo | undefined)[],
): readonly string[] {
  return interfaces.flatMap((each) => {
    const isUsed = each?.family === 'IPv4' && !each.internal && !each.address.startsWith('169.254.')
    return isUsed ? each.address : []
  })
}

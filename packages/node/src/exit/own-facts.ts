/**
 * Reads what this host can know of its own network, once: interfaces, gateways (Linux only), DNS servers, NAT64 prefixes.
 * What cannot be read keeps its last value. `own-network.ts` repeats this and makes the policy's context of it.
 */
import {
  findNat64Prefixes,
  formatCidr,
  type OwnNetworkFacts,
  parseAddress,
} from '@byway/protocol/policy'
import { readIpv4Gateways, readIpv6Gateways } from './proc-routes.ts'
import { readResolvConf } from './resolv-conf.ts'

/** Needs of a reading. */
export type OwnFactsDeps = {
  /** `os.networkInterfaces()`. */
  readonly interfaces: () => NodeJS.Dict<readonly { readonly cidr: string | null }[]>
  /** Reads a small text file, or rejects. */
  readonly readText: (path: string) => Promise<string>
  /** Own public addresses that at least two relays agree on; they need not be on an interface. */
  readonly seenAddresses: () => readonly string[]
  /** The AAAA answers for `ipv4only.arpa` (RFC 7050), asked when the interfaces changed. */
  readonly findNat64?: (() => Promise<readonly string[]>) | undefined
}

/** Reads the facts; `last` is what the previous reading gave. Never rejects. */
export async function readOwnFacts(
  deps: OwnFactsDeps,
  last: OwnNetworkFacts,
): Promise<OwnNetworkFacts> {
  const addresses = readInterfaces(deps.interfaces())
  const seen = deps.seenAddresses()
  const v4 = addresses.filter((text) => familyOf(text) === 4)
  const on6 = addresses.filter((text) => familyOf(text) === 6)
  const v6 = [...on6, ...seen.filter((text) => familyOf(text) === 6)]
  const [route4, route6, resolvConf] = await Promise.all(
    [IPV4_ROUTES, IPV6_ROUTES, RESOLV_CONF].map(async (path) =>
      deps.readText(path).catch(() => undefined),
    ),
  )
  const isUnmoved = v4.join() === last.v4?.join() && v6.join() === last.v6?.join()
  return {
    publicV4: seen.filter((text) => familyOf(text) === 4),
    v4,
    v6,
    gateways:
      route4 === undefined && route6 === undefined
        ? last.gateways
        : [...readIpv4Gateways(route4 ?? '', IS_LITTLE_ENDIAN), ...readIpv6Gateways(route6 ?? '')],
    dnsServers:
      resolvConf === undefined
        ? last.dnsServers
        : readResolvConf(resolvConf).map((server) => server.address),
    nat64: isUnmoved && last.nat64 !== undefined ? last.nat64 : await readNat64(deps),
  }
}

/** `undefined` when it could not be asked, so that the next reading asks again. */
async function readNat64(deps: OwnFactsDeps): Promise<readonly string[] | undefined> {
  if (deps.findNat64 === undefined) return []
  const answers = await deps.findNat64().catch(() => undefined)
  const parsed = answers?.map((text) => parseAddress(text)).filter((a) => a !== undefined)
  return parsed && findNat64Prefixes(parsed).map(formatCidr)
}

function readInterfaces(interfaces: ReturnType<OwnFactsDeps['interfaces']>): readonly string[] {
  return Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .flatMap(({ cidr }) => (cidr === null || familyOf(cidr) === undefined ? [] : [cidr]))
}

function familyOf(text: string): 4 | 6 | undefined {
  return parseAddress(text.split('/')[0] ?? '')?.family
}

const IPV4_ROUTES = '/proc/net/route'
const IPV6_ROUTES = '/proc/net/ipv6_route'
const RESOLV_CONF = '/etc/resolv.conf'

/** `/proc/net/route` prints addresses as host-order integers. */
const IS_LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/**
 * Reads the untyped form of a policy context (a JSON file, a vector's `ctx`) into addresses and prefixes.
 * Strict: an unknown key, a wrong type or unparsable text ends in the path of that field. Meaning is `context.ts`.
 */
import { type IpAddress, parseAddress } from './address.ts'
import { type Cidr, parseCidr } from './cidr.ts'

/** An own address and, where its prefix length was given, the prefix it is on. */
export type OwnAddress = { readonly address: IpAddress; readonly onLink?: Cidr | undefined }

/** An address with a port. */
export type Endpoint = { readonly address: IpAddress; readonly port: number }

/** All fields of a policy context, defaults filled in. */
export type ContextShape = {
  readonly addresses: readonly OwnAddress[]
  readonly self: {
    readonly delegated: readonly Cidr[]
    readonly gateways: readonly IpAddress[]
    readonly dnsServers: readonly IpAddress[]
    readonly relays: readonly Endpoint[]
    readonly nat64: readonly Cidr[]
  }
  readonly ipv6: boolean
  readonly nat64Unwrap: boolean
  readonly delegatedBits: number
  readonly allowTargets: readonly Endpoint[]
  readonly reachablePrefixes: readonly Cidr[]
  readonly denyCidrs: readonly Cidr[]
  readonly denyDomains: readonly string[]
}

/** Reads the shape; the first field that is not understood is named by its path. Never throws. */
export function readContextShape(value: unknown): ContextShape | { readonly faultPath: string } {
  const faults: string[] = []
  const root = readObject(value ?? {}, '', ROOT_KEYS, faults)
  const self = readObject(root['self'] ?? {}, 'self', SELF_KEYS, faults)
  const list = <T>(path: string, item: unknown, read: (item: unknown) => T | undefined): T[] =>
    readList(item, path, read, faults)
  const shape: ContextShape = {
    addresses: ['publicV4', 'v4', 'v6'].flatMap((key) =>
      list(`self.${key}`, self[key], readOwnAddress),
    ),
    self: {
      delegated: list('self.delegated', self['delegated'], readCidr),
      gateways: list('self.gateways', self['gateways'], readAddress),
      dnsServers: list('self.dnsServers', self['dnsServers'], readAddress),
      relays: list('self.relays', self['relays'], readPair),
      nat64: list('self.nat64', self['nat64'], readCidr),
    },
    ipv6: readBoolean(root['ipv6'], 'ipv6', true, faults),
    nat64Unwrap: readBoolean(root['nat64Unwrap'], 'nat64Unwrap', false, faults),
    delegatedBits: readBits(root['delegatedBits'], faults),
    allowTargets: list('allowTargets', root['allowTargets'], readTarget),
    reachablePrefixes: list('reachablePrefixes', root['reachablePrefixes'], readCidr),
    denyCidrs: list('denyCidrs', root['denyCidrs'], readCidr),
    denyDomains: list('denyDomains', root['denyDomains'], readText),
  }
  const [faultPath] = faults
  return faultPath === undefined ? shape : { faultPath }
}

type Fields = Readonly<Record<string, unknown>>

function readObject(
  value: unknown,
  path: string,
  keys: readonly string[],
  faults: string[],
): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.push(path === '' ? '(root)' : path)
    return {}
  }
  const unknown = Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined) faults.push(path === '' ? unknown : `${path}.${unknown}`)
  return value as Fields
}

function readList<T>(
  value: unknown,
  path: string,
  read: (item: unknown) => T | undefined,
  faults: string[],
): T[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    faults.push(path)
    return []
  }
  const items: readonly unknown[] = value
  return items.flatMap((item, index) => {
    const parsed = read(item)
    if (parsed === undefined) faults.push(`${path}[${index}]`)
    return parsed === undefined ? [] : [parsed]
  })
}

function readBoolean(value: unknown, path: string, absent: boolean, faults: string[]): boolean {
  if (value === undefined) return absent
  if (typeof value === 'boolean') return value
  faults.push(path)
  return absent
}

function readBits(value: unknown, faults: string[]): number {
  if (value === undefined) return DELEGATED_BITS
  if (Number.isInteger(value) && Number(value) >= 48 && Number(value) <= 64) return Number(value)
  faults.push('delegatedBits')
  return DELEGATED_BITS
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function readAddress(value: unknown): IpAddress | undefined {
  return typeof value === 'string' ? parseAddress(value) : undefined
}

function readCidr(value: unknown): Cidr | undefined {
  return typeof value === 'string' ? parseCidr(value) : undefined
}

function readOwnAddress(value: unknown): OwnAddress | undefined {
  const [text = '', length] = typeof value === 'string' ? value.split('/') : []
  const address = parseAddress(text)
  if (address === undefined || length === undefined) return address && { address }
  const onLink = readCidr(value)
  return onLink && { address, onLink }
}

function readPair(value: unknown): Endpoint | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined
  const [address, port]: readonly unknown[] = value
  return readEndpoint(address, port)
}

function readTarget(value: unknown): Endpoint | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { address, port, ...rest } = value as Fields
  return Object.keys(rest).length === 0 ? readEndpoint(address, port) : undefined
}

function readEndpoint(addressText: unknown, port: unknown): Endpoint | undefined {
  const address = readAddress(addressText)
  if (address === undefined || typeof port !== 'number') return undefined
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? { address, port } : undefined
}

const SELF_KEYS = ['publicV4', 'v4', 'v6', 'delegated', 'gateways', 'dnsServers', 'relays', 'nat64']
const ROOT_KEYS = [
  'self',
  'ipv6',
  'nat64Unwrap',
  'delegatedBits',
  'allowTargets',
  'reachablePrefixes',
  'denyCidrs',
  'denyDomains',
]

/** What most providers hand to a home (RIPE-690 §4.2.2); an operator may say 48 to 64. */
const DELEGATED_BITS = 56

/** Writes small databases in MaxMind's format (version 2.0), from its description: for tests only, and with nothing shared with the reader. */
import { cidrAround, parseCidr } from '@byway/protocol/policy'

export type MmdbOptions = {
  readonly ipVersion?: 4 | 6
  readonly recordSize?: 24 | 28 | 32
  readonly builtAtS?: number
  readonly rows: readonly { readonly prefix: string; readonly record: MmdbValue }[]
}

/** What a record may hold here. */
export type MmdbValue = string | number | { readonly [key: string]: MmdbValue }

/** A record of a country as MaxMind and DB-IP write it. */
export const countryRecord = (code: string): MmdbValue => ({
  continent: { code: 'EU' },
  country: { iso_code: code, names: { en: 'Somewhere' } },
})

/** The same of an AS. */
export const asnRecord = (number: number): MmdbValue => ({
  autonomous_system_number: number,
  autonomous_system_organization: 'Some network',
})

type Tree = [Tree | number | undefined, Tree | number | undefined]

/** Gives the bytes of a database that says `record` of each prefix; a later row goes before an earlier one that it lies in. */
export function writeMmdb({
  ipVersion = 6,
  recordSize = 28,
  builtAtS = 1_790_000_000,
  rows,
}: MmdbOptions): Uint8Array {
  const root: Tree = [undefined, undefined]
  const data: Uint8Array[] = []
  let dataBytes = 0
  for (const { prefix, record } of rows) {
    put(root, bitsOf(prefix, ipVersion), dataBytes)
    const bytes = encode(record)
    data.push(bytes)
    dataBytes += bytes.length
  }
  const nodes = listNodes(root)
  const tree = nodes.map((node) => writeNode(node, nodes, recordSize))
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: builtAtS,
    database_type: 'Test',
    ip_version: ipVersion,
    node_count: nodes.length,
    record_size: recordSize,
  })
  return Buffer.concat([...tree, new Uint8Array(16), ...data, MARKER, metadata])
}

function bitsOf(prefix: string, ipVersion: 4 | 6): readonly (0 | 1)[] {
  const cidr = parseCidr(prefix)
  if (!cidr) throw new Error(`no prefix: ${prefix}`)
  const { base, bits } = cidr
  const width = base.family === 4 ? 32 : 128
  const { value } = cidrAround(base, bits).base
  const own = Array.from({ length: bits }, (_, at): 0 | 1 =>
    ((value >> BigInt(width - 1 - at)) & 1n) === 1n ? 1 : 0,
  )
  // IPv4 addresses are the lowest of the IPv6 ones.
  const lead: readonly 0[] =
    base.family === 4 && ipVersion === 6 ? Array.from({ length: 96 }, () => 0 as const) : []
  return [...lead, ...own]
}

function put(root: Tree, path: readonly (0 | 1)[], record: number): void {
  let node = root
  for (const bit of path.slice(0, -1)) {
    const below = node[bit]
    if (Array.isArray(below)) node = below
    else node = node[bit] = [below, below]
  }
  const last = path.at(-1)
  if (last !== undefined) node[last] = record
}

function listNodes(root: Tree): readonly Tree[] {
  const nodes = [root]
  for (const node of nodes) {
    for (const below of node) if (Array.isArray(below)) nodes.push(below)
  }
  return nodes
}

function writeNode(node: Tree, nodes: readonly Tree[], recordSize: 24 | 28 | 32): Uint8Array {
  const value = (below: Tree[0]): bigint => {
    if (below === undefined) return BigInt(nodes.length)
    if (Array.isArray(below)) return BigInt(nodes.indexOf(below))
    return BigInt(nodes.length + 16 + below)
  }
  const [left, right] = [value(node[0]), value(node[1])]
  const middle = ((left >> 24n) << 28n) | ((right >> 24n) << 24n) | (right & 0xff_ffffn)
  const all =
    recordSize === 28 ? ((left & 0xff_ffffn) << 32n) | middle : (left << BigInt(recordSize)) | right
  const bytes = recordSize / 4
  return Buffer.from(all.toString(16).padStart(bytes * 2, '0'), 'hex')
}

/** Type and size of a value go before it; only texts are longer than 28 here. */
function encode(value: MmdbValue): Uint8Array {
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    const size = text.length < 29 ? [(2 << 5) | text.length] : [(2 << 5) | 29, text.length - 29]
    return Buffer.concat([Buffer.from(size), text])
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return Buffer.concat([Buffer.of((6 << 5) | 4), bytes])
  }
  const entries = Object.entries(value).flatMap(([key, inner]) => [encode(key), encode(inner)])
  return Buffer.concat([Buffer.of((7 << 5) | Object.keys(value).length), ...entries])
}

const MARKER = Buffer.from('abcdef4d61784d696e642e636f6d', 'hex')

/** Properties of the policy that hold for every address, prefix and spelling (SPEC §11). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import {
  type Cidr,
  type DeniedRange,
  formatAddress,
  formatCidr,
  type IpAddress,
  IPV4_DENIED,
  IPV6_DENIED,
  IPV6_GLOBAL,
  judge,
  parseAddress,
  parseCidr,
  specialRange,
} from '@byway/protocol/policy'

const RUNS = process.env['SLOW'] === '1' ? 100_000 : 3000
const ipv4 = fc
  .integer({ min: 0, max: 0xffff_ffff })
  .map((value): IpAddress => ({ family: 4, value: BigInt(value) }))
const anyIpv6 = fc
  .bigInt({ min: 0n, max: (1n << 128n) - 1n })
  .filter((value) => value >> 32n !== 0xffffn)
const edgyIpv6 = fc
  .tuple(
    fc.constantFrom(0x2001n, 0x2002n, 0x2003n, 0x3fffn, 0x1fffn, 0x4000n, 0x64n, 0xfe80n, 0n),
    fc.bigInt({ min: 0n, max: (1n << 112n) - 1n }),
  )
  .map(([head, rest]) => (head << 112n) | rest)
  .filter((value) => value >> 32n !== 0xffffn)
const ipv6 = fc.oneof(anyIpv6, edgyIpv6).map((value): IpAddress => ({ family: 6, value }))

const ADDRESS_CHARACTERS = Array.from('0123456789abcdefF:.%/x')

/** Runs a property and prints its seed on failure, as fast-check does. */
function holds(property: fc.IProperty<[IpAddress]>): void {
  fc.assert(property, { numRuns: RUNS })
}

function reasonFor(host: string): string {
  return judge({ host, port: 443 }).reason
}

function hex(address: IpAddress): string {
  const high = (address.value >> 16n).toString(16)
  return `${high}:${(address.value & 0xffffn).toString(16)}`
}

function expanded(address: IpAddress): string {
  const digits = address.value.toString(16).padStart(32, '0').toUpperCase()
  return (digits.match(/.{4}/g) ?? []).join(':')
}

test('an IPv4 address and both its mapped spellings get one verdict', () => {
  holds(
    fc.property(ipv4, (address) => {
      const plain = judge({ host: formatAddress(address), port: 443 })
      assert.deepEqual(judge({ host: `::ffff:${formatAddress(address)}`, port: 443 }), plain)
      assert.deepEqual(judge({ host: `::FFFF:${hex(address)}`, port: 443 }), plain)
    }),
  )
})

test('a verdict does not depend on how an IPv6 address is written', () => {
  holds(
    fc.property(ipv6, (address) => {
      const plain = judge({ host: formatAddress(address), port: 443 })
      assert.deepEqual(judge({ host: expanded(address), port: 443 }), plain)
      assert.deepEqual(judge({ host: 'x.example', port: 443, answers: [expanded(address)] }), plain)
    }),
  )
})

test('a formatted address parses to itself, and ipaddr.js writes it alike', () => {
  holds(
    fc.property(fc.oneof(ipv4, ipv6), (address) => {
      const text = formatAddress(address)
      assert.deepEqual(parseAddress(text), address)
      assert.equal(ipaddr.parse(text).toString(), text)
    }),
  )
})

test('any text either is no address or is written canonically', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...ADDRESS_CHARACTERS) }), (text) => {
      const address = parseAddress(text)
      if (address === undefined) return
      assert.deepEqual(parseAddress(formatAddress(address)), address)
      assert.ok(ipaddr.isValid(text))
    }),
    { numRuns: RUNS },
  )
})

test('no host, port or answer makes the policy throw', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), ipv4.map(formatAddress))
  fc.assert(
    fc.property(
      text,
      fc.oneof(fc.integer(), fc.double()),
      fc.array(text),
      (host, port, answers) => {
        const verdict = judge({ host, port, answers })
        assert.ok(verdict.verdict === 'deny' || parseAddress(verdict.pin) !== undefined)
      },
    ),
    { numRuns: RUNS },
  )
})

test('ipaddr.js calls nothing unicast that we refuse, except where it is known to be wrong', () => {
  holds(
    fc.property(fc.oneof(ipv4, ipv6), (address) => {
      const text = formatAddress(address)
      const range = ipaddr.process(text).range()
      if (range !== 'unicast') assert.notEqual(specialRange(address), undefined, `${text} ${range}`)
    }),
  )
})

test('for IPv4 ipaddr.js agrees in both directions, but for the public metadata address', () => {
  holds(
    fc.property(ipv4, (address) => {
      fc.pre(formatAddress(address) !== '168.63.129.16')
      const isUnicast = ipaddr.process(formatAddress(address)).range() === 'unicast'
      assert.equal(specialRange(address) === undefined, isUnicast, formatAddress(address))
    }),
  )
  assert.equal(ipaddr.process('168.63.129.16').range(), 'unicast')
  assert.equal(reasonFor('168.63.129.16'), 'metadata-public')
})

/**
 * The ranges that must be refused, written down here apart from the code's tables: IANA's special-purpose registries (RFC 6890), class D and E, and Azure's
 * metadata address, which is a public one.
 */
const REFUSED_V4 = (
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 ' +
  '198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32 168.63.129.16/32'
).split(' ')
/** Inside 2000::/3, the only space of IPv6 that is handed out. */
const REFUSED_GLOBAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']
/** Outside it, where everything is refused. */
const REFUSED_OTHER_V6 =
  '::/128 ::1/128 ::/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8'.split(
    ' ',
  )

type Range = { readonly cidr: Cidr; readonly first: bigint; readonly last: bigint }

function rangeOf(text: string): Range {
  const cidr = parseCidr(text)
  assert.ok(cidr, text)
  const first = cidr.base.value
  return { cidr, first, last: first + (1n << BigInt(widthOf(cidr.base) - cidr.bits)) - 1n }
}

const widthOf = ({ family }: IpAddress): number => (family === 4 ? 32 : 128)
const RANGES = [...REFUSED_V4, ...REFUSED_GLOBAL_V6, ...REFUSED_OTHER_V6].map(rangeOf)
const isRefusedByList = ({ family, value }: IpAddress): boolean =>
  RANGES.some(
    ({ cidr, first, last }) => cidr.base.family === family && first <= value && value <= last,
  ) ||
  (family === 6 && value >> 125n !== 1n)

test('the tables of the code are those ranges, no more and no fewer', () => {
  const texts = (table: readonly DeniedRange[]): string[] =>
    table.map(({ cidr }) => formatCidr(cidr)).toSorted()
  assert.deepEqual(texts(IPV4_DENIED), REFUSED_V4.toSorted())
  const isGlobal = ({ cidr }: DeniedRange): boolean => cidr.base.value >> 125n === 1n
  assert.deepEqual(texts(IPV6_DENIED.filter(isGlobal)), REFUSED_GLOBAL_V6)
  assert.deepEqual(formatCidr(IPV6_GLOBAL), '2000::/3')
})

test('any address is refused exactly when the list holds it', () => {
  const near = fc
    .tuple(fc.constantFrom(...RANGES), fc.integer({ min: -3, max: 3 }), fc.boolean())
    .map(([{ cidr, first, last }, step, atEnd]): IpAddress => {
      const top = 1n << BigInt(widthOf(cidr.base))
      const value = ((atEnd ? last : first) + BigInt(step) + top) % top
      return { family: cidr.base.family, value }
    })
    .filter(({ family, value }) => family === 4 || value >> 32n !== 0xffffn)
  holds(
    fc.property(fc.oneof(near, ipv4, ipv6), (address) => {
      const text = formatAddress(address)
      assert.equal(reasonFor(text) === 'ok', !isRefusedByList(address), text)
    }),
  )
})

for (const { cidr, first, last } of RANGES) {
  const at = (value: bigint): string => formatAddress({ family: cidr.base.family, value })

  test(`${formatCidr(cidr)} is refused from its first address to its last, and ends there`, () => {
    for (const value of [first, first + (last - first) / 2n, last])
      assert.notEqual(reasonFor(at(value)), 'ok')
    for (const value of [first - 1n, last + 1n]) {
      if (value < 0n || value >= 1n << BigInt(widthOf(cidr.base))) continue
      const address: IpAddress = { family: cidr.base.family, value }
      assert.equal(reasonFor(at(value)) === 'ok', !isRefusedByList(address))
    }
  })
}

for (const { cidr, reason } of [...IPV4_DENIED, ...IPV6_DENIED]) {
  const { first, last } = rangeOf(formatCidr(cidr))
  test(`${formatCidr(cidr)} is refused as ${reason}`, () => {
    const { family } = cidr.base
    for (const value of [first, first + (last - first) / 2n])
      assert.equal(reasonFor(formatAddress({ family, value })), reason)
    const expectedLast = family === 4 && last === 0xffff_ffffn ? 'broadcast' : reason
    assert.equal(reasonFor(formatAddress({ family, value: last })), expectedLast)
  })
}

test('2000::/3 ends where it ends', () => {
  assert.equal(reasonFor('1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), 'not-2000::/3')
  assert.equal(reasonFor('2000::'), 'ok')
  assert.equal(reasonFor('3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), 'ok')
  assert.equal(reasonFor('4000::'), 'not-2000::/3')
})

/** Properties of the policy that hold for every address, prefix and spelling (SPEC §11). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import {
  formatAddress,
  type IpAddress,
  IPV4_DENIED,
  IPV6_DENIED,
  judge,
  parseAddress,
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

for (const { cidr, reason } of [...IPV4_DENIED, ...IPV6_DENIED]) {
  const { base, bits } = cidr
  const width = base.family === 4 ? 32 : 128
  const last = base.value + (1n << BigInt(width - bits)) - 1n
  const at = (value: bigint): IpAddress => ({ family: base.family, value })

  test(`${formatAddress(base)}/${bits} is refused as ${reason} from its first address to its last`, () => {
    for (const value of [base.value, base.value + (last - base.value) / 2n]) {
      assert.equal(reasonFor(formatAddress(at(value))), reason)
    }
    const expectedLast = last === 0xffff_ffffn && base.family === 4 ? 'broadcast' : reason
    assert.equal(reasonFor(formatAddress(at(last))), expectedLast)
  })

  test(`${formatAddress(base)}/${bits} ends where it ends`, () => {
    const tables: readonly (readonly [number, bigint, bigint])[] = (
      base.family === 4 ? IPV4_DENIED : IPV6_DENIED
    ).map((row) => {
      const first = row.cidr.base.value
      return [row.cidr.bits, first, first + (1n << BigInt(width - row.cidr.bits)) - 1n]
    })
    for (const value of [base.value - 1n, last + 1n]) {
      if (value < 0n || value >= 1n << BigInt(width)) continue
      const isListed = tables.some(([, first, end]) => first <= value && value <= end)
      const isGlobal = base.family === 4 || value >> 125n === 1n
      assert.equal(reasonFor(formatAddress(at(value))) === 'ok', !isListed && isGlobal)
    }
  })
}

test('2000::/3 ends where it ends', () => {
  assert.equal(reasonFor('1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), 'not-2000::/3')
  assert.equal(reasonFor('2000::'), 'ok')
  assert.equal(reasonFor('3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), 'ok')
  assert.equal(reasonFor('4000::'), 'not-2000::/3')
})

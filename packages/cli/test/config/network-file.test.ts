import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { NetworkParameters } from '@byway/protocol/directory'
import { formatNetworkFile, parseNetworkFile } from '../../src/config/network-file.ts'

/** A public key as minisign writes it. */
const PUBLISHER = 'RWTBaGPWhBnYhmUiN5pCzantGJH1iC3Bg7vYBhnpnjTM9q1CgiwRwSfz'
const NODE_ID = 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA'
const FILE = `
name = "home-lab"
local = true
reachable_prefixes = ["127.0.0.0/8"]

[[asn]]
prefix = "127.1.0.0/16"
number = 64501
country = "DE"

[[bootstrap]]
node_id = "${NODE_ID}"
address = "127.1.0.1"
port = 4433

[[exit_target]]
address = "127.0.0.1"
port = 8080
`

test('reads a whole network file', () => {
  assert.deepEqual(parseNetworkFile(FILE), {
    name: 'home-lab',
    local: true,
    reachablePrefixes: ['127.0.0.0/8'],
    asnTable: [{ prefix: '127.1.0.0/16', asn: 64_501, country: 'DE' }],
    bootstrap: [
      {
        nodeId: Uint8Array.from({ length: 32 }, (_, i) => i + 1),
        address: '127.1.0.1',
        port: 4433,
      },
    ],
    exitTargets: [{ address: '127.0.0.1', port: 8080 }],
  })
})

test('takes a name alone for a public network without private reach', () => {
  assert.deepEqual(parseNetworkFile('name = "main"'), {
    name: 'main',
    local: false,
    reachablePrefixes: [],
    asnTable: [],
    bootstrap: [],
    exitTargets: [],
  })
})

test('reads which edition it is, and whose', () => {
  const text = `name = "main"
sequence = 7
publisher = "${PUBLISHER}"
next_publisher = "${PUBLISHER}"
expires = 2027-05-01
test = true`
  assert.deepEqual(parseNetworkFile(text).edition, {
    sequence: 7,
    publisher: PUBLISHER,
    nextPublisher: PUBLISHER,
    expiresAtMs: Date.parse('2027-05-01T00:00:00Z'),
    isTest: true,
  })
})

test('takes a node id in hex too', () => {
  const hex = Buffer.from(NODE_ID, 'base64url').toString('hex')
  assert.deepEqual(parseNetworkFile(FILE.replace(NODE_ID, hex)), parseNetworkFile(FILE))
})

const BAD: readonly (readonly [what: string, text: string, key: string])[] = [
  ['no name', 'local = true', 'name'],
  ['a name with a dot', 'name = "a.b"', 'name'],
  ['an unknown key', 'name = "a"\nprefixes = []', 'prefixes'],
  ['an unknown key in a row', FILE.replace('number =', 'asn ='), 'asn.0.number'],
  [
    'exit targets outside a local network',
    FILE.replace('local = true', 'local = false'),
    'exit_target',
  ],
  [
    'an exit target that is not on the loopback',
    FILE.replace('"127.0.0.1"', '"192.168.1.1"'),
    'exit_target.0.address',
  ],
  [
    'a port that exits never open',
    FILE.replace('port = 8080', 'port = 37215'),
    'exit_target.0.port',
  ],
  ['a loopback in disguise', FILE.replace('"127.0.0.1"', '"127.1"'), 'exit_target.0.address'],
  [
    'a local network that leaves the loopback',
    FILE.replace('"127.0.0.0/8"', '"10.0.0.0/8"'),
    'reachable_prefixes',
  ],
  [
    'a local network that holds the loopback and more',
    FILE.replace('"127.0.0.0/8"', '"126.0.0.0/7"'),
    'reachable_prefixes',
  ],
  ['a prefix without a length', FILE.replace('127.1.0.0/16', '127.1.0.0'), 'asn.0.prefix'],
  [
    'a node id of 31 bytes',
    FILE.replace(NODE_ID, Buffer.alloc(31).toString('base64url')),
    'bootstrap.0.node_id',
  ],
  ['a node id that is no base64url', FILE.replace(NODE_ID, '!'.repeat(43)), 'bootstrap.0.node_id'],
  ['a name for an address', FILE.replace('"127.1.0.1"', '"node.example"'), 'bootstrap.0.address'],
  ['port 0', FILE.replace('port = 4433', 'port = 0'), 'bootstrap.0.port'],
  ['a sequence without a publisher', `name = "a"\nsequence = 1`, 'publisher'],
  ['a publisher without a sequence', `name = "a"\npublisher = "${PUBLISHER}"`, 'sequence'],
  ['an end without a publisher', 'name = "a"\nexpires = 2027-05-01', 'sequence'],
  ['a test network without a publisher', 'name = "a"\ntest = true', 'sequence'],
  ['a sequence of 0', `name = "a"\nsequence = 0`, 'sequence'],
  ['a publisher that is no key', `name = "a"\nsequence = 1\npublisher = "RW"`, 'publisher'],
  [
    'a next publisher that is no key',
    `name = "a"\nsequence = 1\npublisher = "${PUBLISHER}"\nnext_publisher = "${NODE_ID}"`,
    'next_publisher',
  ],
  ['an ASN of 0', FILE.replace('64501', '0'), 'asn.0.number'],
]
for (const [what, text, key] of BAD) {
  test(`refuses ${what}, and names the key`, () => {
    assert.throws(
      () => parseNetworkFile(text),
      (error: { kind: string; context: { key: string; source: string } }) => {
        assert.equal(error.kind, 'config')
        assert.deepEqual([error.context.source, error.context.key], ['network file', key])
        return true
      },
    )
  })
}

test('writes what it reads', () => {
  assert.deepEqual(
    parseNetworkFile(formatNetworkFile(parseNetworkFile(FILE))),
    parseNetworkFile(FILE),
  )
  const octet = fc.integer({ min: 0, max: 255 })
  const address = fc.tuple(octet, octet, octet).map((parts) => `127.${parts.join('.')}`)
  const port = fc.integer({ min: 1, max: 65_535 })
  const network: fc.Arbitrary<NetworkParameters> = fc.record({
    name: fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/),
    local: fc.constant(true),
    reachablePrefixes: fc.array(
      address.map((text) => `${text}/32`),
      { maxLength: 4 },
    ),
    asnTable: fc.array(
      fc.record({
        prefix: address.map((text) => `${text}/16`),
        asn: fc.integer({ min: 1, max: 0xffff_ffff }),
        country: fc.stringMatching(/^[A-Z]{2}$/),
      }),
      { maxLength: 5 },
    ),
    bootstrap: fc.array(
      fc.record({ nodeId: fc.uint8Array({ minLength: 32, maxLength: 32 }), address, port }),
      { maxLength: 5 },
    ),
    exitTargets: fc.array(fc.record({ address, port }), { maxLength: 3 }),
    edition: fc.record(
      {
        sequence: fc.integer({ min: 1 }),
        publisher: fc.constant(PUBLISHER),
        nextPublisher: fc.constant(PUBLISHER),
        expiresAtMs: fc.integer({ min: 0, max: Date.parse('2999-01-01') }),
        isTest: fc.boolean(),
      },
      { requiredKeys: ['sequence', 'publisher', 'isTest'] },
    ),
  })
  fc.assert(
    fc.property(network, (value) =>
      assert.deepEqual(parseNetworkFile(formatNetworkFile(value)), structuredClone(value)),
    ),
  )
})

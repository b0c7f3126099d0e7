import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createOriginSource, verifyDescriptor } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { EXIT_FLAG, EXIT_PROFILE, NO_CLASSES, ROLE } from '@byway/protocol/wire'
import type { Descriptor } from '@byway/protocol/wire'
import { createDescriptorMaker } from '../../src/directory/own-descriptor.ts'
import { ownFacts } from '../../src/directory/own-facts.ts'
import { nodeIdOf } from '../fake-link.ts'
import { makerOf, NOW_MS, RELAY_FACTS } from '../signed-descriptors.ts'

const TABLE = [{ prefix: '192.0.2.0/24', asn: 64_500, country: 'DE' }]
const INPUT = {
  origins: createOriginSource(TABLE),
  onionKey: new Uint8Array(32).fill(9),
  address: { host: '192.0.2.1', port: 443 },
  attachments: [],
  exit: undefined,
  country: undefined,
  asn: undefined,
}

function readValid(bytes: Uint8Array, nowMs: number): Descriptor {
  const verdict = verifyDescriptor(nodeCrypto, bytes, nowMs)
  assert.ok(verdict.result === 'valid', JSON.stringify(verdict))
  return verdict.descriptor
}

suite('editions of the own descriptor (SPEC §10.1)', () => {
  test('are signed, and live less than 48 hours', () => {
    const { publishedS, expiresS } = readValid(makerOf(1).make(RELAY_FACTS, NOW_MS), NOW_MS)
    assert.equal(publishedS, NOW_MS / 1000)
    assert.equal(expiresS - publishedS, 47 * 3600)
  })

  test('have the numbers that are given', () => {
    const numbers = [7, 9]
    const { privateKey, publicKey } = nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(1))
    const maker = createDescriptorMaker(nodeCrypto, { privateKey, publicKey }, () =>
      Number(numbers.shift()),
    )
    const sequences = [0, 1].map(() => readValid(maker.make(RELAY_FACTS, NOW_MS), NOW_MS).sequence)
    assert.deepEqual(sequences, [7, 9])
  })

  test('are refused by others when a single bit is wrong', () => {
    const edition = makerOf(1).make(RELAY_FACTS, NOW_MS)
    edition[94] = (edition[94] ?? 0) ^ 2
    assert.notEqual(verifyDescriptor(nodeCrypto, edition, NOW_MS).result, 'valid')
  })
})

suite('what a node says of itself', () => {
  test('a relay with an address: country and ASN from the table of the network', () => {
    const facts = ownFacts(INPUT)
    assert.deepEqual(facts?.addresses, [
      { family: 4, bytes: Uint8Array.of(192, 0, 2, 1), port: 443 },
    ])
    assert.equal(facts.roles, ROLE.RELAY)
    assert.equal(facts.exitProfile, EXIT_PROFILE.NONE)
    assert.equal(facts.country, 'DE')
    assert.equal(facts.asn, 64_500)
  })

  test("the operator's country and ASN go before the table", () => {
    const facts = ownFacts({ ...INPUT, country: 'FR', asn: 1 })
    assert.equal(facts?.country, 'FR')
    assert.equal(facts.asn, 1)
  })

  test('what a database says goes before the table, and what only the coarse table guesses is not repeated', () => {
    const says = (country: string) => ({ lookup: () => ({ country, asn: 0 }) })
    const address = { host: '18.9.22.69', port: 443 }
    const known = createOriginSource(TABLE, { databases: [says('SE')], builtIn: says('US') })
    assert.equal(ownFacts({ ...INPUT, address, origins: known })?.country, 'SE')
    const guessed = createOriginSource(TABLE, { databases: [], builtIn: says('US') })
    assert.equal(ownFacts({ ...INPUT, address, origins: guessed })?.country, '')
  })

  test('an address that the table does not know says nothing', () => {
    const facts = ownFacts({ ...INPUT, address: { host: '198.51.100.1', port: 443 } })
    assert.equal(facts?.country, '')
    assert.equal(facts.asn, 0)
  })

  test('nodes of one family name it alike, and say nothing of its name; the others none', () => {
    const familyOf = (family?: string) => ownFacts({ ...INPUT, family })?.familyId
    assert.equal(familyOf(), undefined)
    assert.equal(familyOf('smith')?.length, 32)
    assert.deepEqual(familyOf('smith'), familyOf('smith'))
    assert.notDeepEqual(familyOf('smith'), familyOf('smyth'))
  })

  test('a node without an address names its attachments', () => {
    const attachments = [nodeIdOf(1), nodeIdOf(2)]
    const facts = ownFacts({ ...INPUT, address: undefined, attachments })
    assert.deepEqual(facts?.addresses, [])
    assert.deepEqual(facts.attachments, attachments)
  })

  test('a node that can be reached nowhere says nothing', () => {
    assert.equal(ownFacts({ ...INPUT, address: undefined }), undefined)
    assert.equal(ownFacts({ ...INPUT, address: { host: 'home.example', port: 443 } }), undefined)
  })

  test('an exit says its role, profile and flags', () => {
    const exit = { ipv6: true, datagrams: true, profile: 'reduced' } as const
    const facts = ownFacts({ ...INPUT, exit })
    assert.equal(facts?.roles, ROLE.RELAY | ROLE.EXIT)
    assert.equal(facts.exitProfile, EXIT_PROFILE.REDUCED)
    assert.equal(facts.exitFlags, EXIT_FLAG.IPV6 | EXIT_FLAG.DATAGRAMS)
    const web = ownFacts({ ...INPUT, exit: { ipv6: false, profile: 'web' } })
    assert.equal(web?.exitProfile, EXIT_PROFILE.WEB)
    assert.equal(web.exitFlags, 0)
  })

  test('an exit names its traffic classes and what each costs, a relay none', () => {
    const money = { provider: new Uint8Array(20).fill(1), priceStep: 4, tokenKeysHash: undefined }
    assert.deepEqual(ownFacts({ ...INPUT, money })?.classPrices, NO_CLASSES)
    const exit = {
      profile: 'web',
      classes: ['browse', 'collect'],
      classPrices: { collect: 6 },
    } as const
    const facts = ownFacts({ ...INPUT, money, exit })
    assert.deepEqual(facts?.classPrices, { browse: 4, collect: 6 })
    assert.deepEqual(ownFacts({ ...INPUT, exit })?.classPrices, { browse: 0, collect: 0 })
    assert.deepEqual(ownFacts({ ...INPUT, money, exit: { profile: 'web' } })?.classPrices, {
      browse: 4,
      collect: undefined,
    })
  })
})

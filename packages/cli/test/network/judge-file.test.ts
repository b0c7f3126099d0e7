/** Which network files a member takes (SPEC §18.3): who signed, in which order, and what is in them. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LOCAL_CHAIN_ID as CHAINS_OWN } from '@byway/chain'
import type { NetworkEdition, NetworkParameters } from '@byway/protocol/directory'
import { formatNetworkFile, parseNetworkFile } from '../../src/config/network-file.ts'
import { LOCAL_CHAIN_ID } from '../../src/config/payment-table.ts'
import type { KeyPair } from '../../src/minisign/signature.ts'
import { judgeFile, parseBytes, type SignedFacts } from '../../src/network/judge-file.ts'
import { countContacts } from '../../src/network/member-rules.ts'
import type { Believed } from '../../src/network/believed.ts'
import { signNetwork } from '../../src/network/sign-network.ts'
import { paymentTable } from '../network-text.ts'
import {
  contacts,
  editionBy,
  keyText,
  MAIN,
  publisherNumber,
  signedFile,
  type WrittenFile,
} from './publisher.ts'

const [FIRST, SECOND, THIRD] = [1, 2, 3].map(publisherNumber) as [KeyPair, KeyPair, KeyPair]
const NOW_MS = Date.parse('2026-11-23T12:00:00Z')

type Known = {
  readonly believed?: Believed | undefined
  readonly given?: string | undefined
  readonly nowMs?: number
}

function judge(
  { bytes, signature }: { readonly bytes: Buffer; readonly signature: string | undefined },
  { believed, given, nowMs = NOW_MS }: Known = {},
) {
  return judgeFile({ network: parseBytes(bytes), bytes, signature, believed, given, nowMs })
}

/** What is known once the file was taken. */
function taken(file: WrittenFile, known: Known = {}): SignedFacts {
  const { signed } = judge(file, known)
  assert.ok(signed)
  return signed
}

function refuses(file: Parameters<typeof judge>[0], code: string, known: Known = {}): void {
  assert.throws(() => judge(file, known), { code })
}

function edition(by: KeyPair, changes: Partial<NetworkEdition> = {}): WrittenFile {
  return signedFile({ ...MAIN, edition: editionBy(by, changes) }, by)
}

suite('who may go unsigned', () => {
  const local = { ...MAIN, local: true, reachablePrefixes: ['127.0.0.0/8'] }
  const unsigned = (network: NetworkParameters) => ({
    bytes: Buffer.from(formatNetworkFile(network)),
    signature: undefined,
  })
  const onLoopback = [{ nodeId: new Uint8Array(32), address: '127.1.0.1', port: 1 }]

  test('a network on the loopback, with contacts there or none', () => {
    for (const bootstrap of [[], onLoopback])
      assert.equal(judge(unsigned({ ...local, bootstrap })).signed, undefined)
  })

  test('no other: not one that only says that it is local, nor a public one', () => {
    refuses(unsigned(local), 'NETWORK_UNSIGNED')
    refuses(unsigned({ ...local, bootstrap: [...onLoopback, ...contacts(1)] }), 'NETWORK_UNSIGNED')
    refuses(unsigned(MAIN), 'NETWORK_UNSIGNED')
    refuses(unsigned({ ...MAIN, bootstrap: [] }), 'NETWORK_UNSIGNED')
  })

  test('no network that was signed before', () => {
    const { believed } = taken(edition(FIRST))
    refuses(unsigned({ ...local, bootstrap: [] }), 'NETWORK_UNSIGNED', { believed })
  })

  test('a local network with contacts elsewhere is signed, and a test network', () => {
    const file = (isTest: boolean) =>
      signedFile({ ...local, edition: editionBy(FIRST, { isTest }) }, FIRST)
    assert.ok(taken(file(true)))
    refuses(file(false), 'CONFIG_VALUE')
  })
})

suite('whose signature counts', () => {
  test('at first use that of the key which the file names, and it is kept', () => {
    const { trust, believed, isNews } = taken(edition(FIRST))
    assert.deepEqual([trust, isNews, believed.publishers], ['first-use', true, [keyText(FIRST)]])
    refuses(edition(SECOND, { sequence: 2 }), 'NETWORK_PUBLISHER', { believed })
    assert.equal(taken(edition(FIRST, { sequence: 2 }), { believed }).trust, 'known')
  })

  test('that of the key which the user names, at first use and later', () => {
    const [given, other] = [keyText(FIRST), keyText(SECOND)]
    const { trust, believed } = taken(edition(FIRST), { given })
    assert.equal(trust, 'given')
    refuses(edition(FIRST), 'NETWORK_PUBLISHER', { given: other })
    refuses(edition(FIRST), 'NETWORK_PUBLISHER', { believed, given: other })
    assert.equal(taken(edition(FIRST), { believed, given }).trust, 'known')
  })

  test('not that of a key which the file does not name: it would be another’s word', () => {
    const network = { ...MAIN, edition: editionBy(FIRST) }
    refuses(signedFile(network, SECOND), 'NETWORK_PUBLISHER')
    refuses(signedFile(network, SECOND), 'NETWORK_PUBLISHER', { given: keyText(SECOND) })
  })

  test('not one of another file, of a part of it, or under a borrowed id', () => {
    const { bytes, signature } = edition(FIRST)
    const other = edition(FIRST, { sequence: 2 })
    refuses({ bytes, signature: other.signature }, 'NETWORK_SIGNATURE')
    refuses({ bytes: other.bytes, signature }, 'NETWORK_SIGNATURE')
    refuses({ bytes, signature: signature.slice(0, 100) }, 'NETWORK_SIGNATURE')
    refuses({ bytes, signature: '' }, 'NETWORK_SIGNATURE')
    const { publicKey } = FIRST
    const { signingKey } = SECOND
    const forger: KeyPair = { publicKey, signingKey }
    refuses(signedFile({ ...MAIN, edition: editionBy(FIRST) }, forger), 'NETWORK_SIGNATURE')
  })

  test('a space more in the file is another file', () => {
    const { bytes, signature } = edition(FIRST)
    refuses({ bytes: Buffer.concat([bytes, Buffer.from(' ')]), signature }, 'NETWORK_SIGNATURE')
  })

  test('a file without sequence or publisher cannot be signed', () => {
    refuses(signedFile(MAIN, FIRST), 'CONFIG_VALUE')
  })
})

suite('a publisher that hands over', () => {
  const first = edition(FIRST)
  const handing = edition(FIRST, { sequence: 2, nextPublisher: keyText(SECOND) })

  test('signs one last edition, which is used as long as it is the newest', () => {
    const { believed } = taken(handing, { believed: taken(first).believed })
    assert.deepEqual(believed.publishers, [keyText(FIRST), keyText(SECOND)])
    const again = taken(handing, { believed })
    assert.deepEqual([again.isNews, again.believed], [false, believed])
    refuses(edition(FIRST, { sequence: 3 }), 'NETWORK_PUBLISHER', { believed })
    const { believed: after } = taken(edition(SECOND, { sequence: 3 }), { believed })
    assert.deepEqual([after.publishers, after.sequence], [believed.publishers, 3])
  })

  test('is followed by who starts with that edition too, and by whose settings name an earlier key', () => {
    const { believed } = taken(handing, { given: keyText(FIRST) })
    for (const given of [keyText(FIRST), keyText(SECOND)])
      assert.ok(taken(edition(SECOND, { sequence: 3 }), { believed, given }))
    refuses(edition(SECOND, { sequence: 3 }), 'NETWORK_PUBLISHER', {
      believed,
      given: keyText(THIRD),
    })
  })

  test('binds nobody who missed it: the new key is then a stranger’s', () => {
    refuses(edition(SECOND, { sequence: 3 }), 'NETWORK_PUBLISHER', {
      believed: taken(first).believed,
    })
  })

  test('to itself changes nothing', () => {
    const { believed } = taken(edition(FIRST, { nextPublisher: keyText(FIRST) }))
    assert.deepEqual(believed.publishers, [keyText(FIRST)])
  })

  test('for ever is remembered for a lifetime', () => {
    let believed = taken(first).believed
    for (let i = 2; i <= 80; i++) {
      const [by, to] = [publisherNumber(i - 1), publisherNumber(i)]
      believed = taken(edition(by, { sequence: i, nextPublisher: keyText(to) }), {
        believed,
      }).believed
    }
    assert.equal(believed.publishers.length, 64)
    assert.equal(believed.publishers.at(-1), keyText(publisherNumber(80)))
  })
})

suite('the order of editions', () => {
  const believed = taken(edition(FIRST, { sequence: 5 })).believed

  test('only grows: an older one, or another with the same number, is refused', () => {
    for (const sequence of [1, 4])
      refuses(edition(FIRST, { sequence }), 'NETWORK_ROLLBACK', { believed })
    const bootstrap = contacts(21)
    const twin = signedFile(
      { ...MAIN, bootstrap, edition: editionBy(FIRST, { sequence: 5 }) },
      FIRST,
    )
    refuses(twin, 'NETWORK_ROLLBACK', { believed })
    assert.ok(taken(edition(FIRST, { sequence: 5 }), { believed }))
    assert.equal(taken(edition(FIRST, { sequence: 9 }), { believed }).believed.sequence, 9)
  })

  test('ends with the day that it names', () => {
    for (const [expiresAtMs, code] of [
      [NOW_MS - 1, 'NETWORK_EXPIRED'],
      [NOW_MS, 'NETWORK_EXPIRED'],
    ] as const)
      refuses(edition(FIRST, { expiresAtMs }), code)
    assert.ok(taken(edition(FIRST, { expiresAtMs: NOW_MS + 1 })))
    // Taken before, it ends all the same.
    const file = edition(FIRST, { expiresAtMs: NOW_MS })
    const before = taken(file, { nowMs: NOW_MS - 1 }).believed
    refuses(file, 'NETWORK_EXPIRED', { believed: before })
  })

  test('dates are of UTC, with a zone where they have a time', () => {
    const keys = `sequence = 1\npublisher = "${keyText(FIRST)}"`
    const read = (text: string) =>
      parseNetworkFile(`name = "a"\n${keys}\nexpires = ${text}`).edition?.expiresAtMs
    assert.equal(read('2027-05-01'), Date.parse('2027-05-01T00:00:00Z'))
    assert.equal(read('2027-05-01T12:00:00+02:00'), Date.parse('2027-05-01T10:00:00Z'))
    for (const bad of ['2027-05-01T12:00:00', '12:00:00', '"2027-05-01"', '5'])
      assert.throws(() => read(bad), { code: 'CONFIG_VALUE' }, bad)
  })
})

suite('first contacts', () => {
  const withContacts = (bootstrap: NetworkParameters['bootstrap'], isTest = false) =>
    signedFile({ ...MAIN, bootstrap, edition: editionBy(FIRST, { isTest }) }, FIRST)

  test('are twenty or more, but in a test network', () => {
    refuses(withContacts(contacts(19)), 'NETWORK_FEW_CONTACTS')
    assert.ok(taken(withContacts(contacts(20))))
    assert.ok(taken(withContacts(contacts(1), true)))
    assert.ok(taken(withContacts([], true)))
  })

  test('count once for a node, twice for a prefix, and not where nobody can dial them', () => {
    const twenty = contacts(20)
    const at = (addresses: readonly string[]) =>
      twenty.map((contact, i) => ({ ...contact, address: addresses[i % addresses.length] ?? '' }))
    const count = (bootstrap: NetworkParameters['bootstrap']) => countContacts({ bootstrap })
    assert.equal(count(twenty), 20)
    assert.equal(count(twenty.map((each) => ({ ...each, nodeId: new Uint8Array(32) }))), 1)
    assert.equal(count(at(['5.1.0.1', '5.1.200.7'])), 2)
    assert.equal(count(at(Array.from({ length: 10 }, (_, i) => `5.${i}.0.1`))), 20)
    assert.equal(count(at(['2a01:4f8::1', '2a01:4f8:ffff::1', '2a01:4f9::1'])), 4)
    for (const address of ['10.0.0.1', '127.0.0.1', '192.168.1.1', 'fe80::1', '0.0.0.0'])
      assert.equal(count(at([address])), 0, address)
    assert.equal(count(twenty.map((each) => ({ ...each, port: 25 }))), 0)
  })
})

test('a chain of one machine pays in a test network only', () => {
  assert.equal(LOCAL_CHAIN_ID, CHAINS_OWN)
  const paid = (chainId: number, isTest: boolean) => {
    const { payment } = parseNetworkFile(`name = "a"\n${paymentTable({ chain_id: chainId })}`)
    return signedFile({ ...MAIN, payment, edition: editionBy(FIRST, { isTest }) }, FIRST)
  }
  refuses(paid(LOCAL_CHAIN_ID, false), 'CONFIG_VALUE')
  assert.ok(taken(paid(LOCAL_CHAIN_ID, true)))
  assert.ok(taken(paid(8453, false)))
})

suite('signing', () => {
  const sign = (network: NetworkParameters, pair: KeyPair) => {
    const bytes = Buffer.from(formatNetworkFile(network))
    return { bytes, ...signNetwork({ bytes, pair, fileName: 'network\n.toml', nowMs: NOW_MS }) }
  }

  test('gives what a member takes', () => {
    const { bytes, signature } = sign({ ...MAIN, edition: editionBy(FIRST) }, FIRST)
    const { trustedComment } = taken({ bytes, signature })
    assert.equal(
      trustedComment,
      `timestamp:${NOW_MS / 1000}\tfile:network_.toml\tnetwork:main\tsequence:1\thashed`,
    )
  })

  test('refuses what none would take', () => {
    for (const [code, network, pair] of [
      ['CONFIG_VALUE', MAIN, FIRST],
      ['NETWORK_PUBLISHER', { ...MAIN, edition: editionBy(FIRST) }, SECOND],
      [
        'NETWORK_FEW_CONTACTS',
        { ...MAIN, bootstrap: contacts(19), edition: editionBy(FIRST) },
        FIRST,
      ],
      ['NETWORK_EXPIRED', { ...MAIN, edition: editionBy(FIRST, { expiresAtMs: NOW_MS }) }, FIRST],
    ] as const)
      assert.throws(() => sign(network, pair), { code })
  })
})

/** What a witness may not say of an exit, although its page is in order (SPEC §10.6): words that the node did not sign, and times that cannot be. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  exitNameOf,
  judgeExitProof,
  makeExitPage,
  type DirectoryEntry,
  type ExitProofFault,
} from '@byway/protocol/directory'
import { encodeExitEntry, encodeExitProof, type ExitEntry } from '@byway/protocol/wire'
import { nodeCrypto } from '../../src/crypto/node-provider.ts'
import { DAWN_S, DAY_S, edition, WITNESS } from './exit-world.ts'

const CLOSED_S = DAWN_S + DAY_S + 5
const TOLERANCE_S = 600
/** The exit that the witness met: published at dawn, good for two days. */
const FIRST = edition(1, DAWN_S)
const LATER = edition(1, DAWN_S + DAY_S / 2)

type Words = {
  readonly change?: Partial<ExitEntry>
  readonly first?: DirectoryEntry
  readonly last?: DirectoryEntry
}

/** A page of one entry that the witness has signed, whatever it says; judged for the address of {@link FIRST}. */
function judge({ change = {}, first = FIRST, last }: Words): ExitProofFault | 'holds' {
  const [address] = FIRST.descriptor.addresses
  assert.ok(address)
  const entry = encodeExitEntry({
    nodeId: FIRST.descriptor.nodeId,
    name: exitNameOf(nodeCrypto, address),
    fromS: DAWN_S + 60,
    untilS: DAWN_S + DAY_S,
    sequence: first.descriptor.sequence,
    editionHash: nodeCrypto.sha256(first.bytes),
    ...change,
  })
  const page = makeExitPage(nodeCrypto, WITNESS, {
    page: 20_833,
    closedS: CLOSED_S,
    entries: [entry],
    previous: undefined,
  })
  const proof = encodeExitProof({
    entry,
    first: first.bytes,
    last: last?.bytes ?? new Uint8Array(0),
    page: { head: page.head, place: 0, path: page.tree.path(0) },
  })
  const verdict = judgeExitProof(nodeCrypto, proof, address)
  return verdict.result === 'holds' ? 'holds' : verdict.fault
}

/** The same edition under a signature that is not its node's. */
function forged(entry: DirectoryEntry): DirectoryEntry {
  const bytes = Uint8Array.from(entry.bytes)
  bytes[bytes.length - 1]! ^= 1
  return { ...entry, bytes }
}

suite('what a witness may not say', () => {
  test('what was, holds: with one edition and with two', () => {
    assert.equal(judge({}), 'holds')
    assert.equal(judge({ last: LATER }), 'holds')
  })

  test('an edition that the node has not signed, be it the first or the last', () => {
    assert.equal(judge({ first: forged(FIRST) }), 'edition')
    assert.equal(judge({ last: forged(LATER) }), 'edition')
    assert.equal(judge({ last: edition(2, DAWN_S + 60) }), 'edition')
    assert.equal(judge({ first: LATER, last: FIRST }), 'edition')
    assert.equal(judge({ change: { editionHash: new Uint8Array(32) } }), 'edition')
  })

  const { publishedS, expiresS } = FIRST.descriptor
  const times: readonly [name: string, change: Partial<ExitEntry>, isPossible: boolean][] = [
    ['a beginning as early as clocks differ', { fromS: publishedS - TOLERANCE_S }, true],
    ['one before that', { fromS: publishedS - TOLERANCE_S - 1 }, false],
    ['one after the edition has run out', { fromS: expiresS + 1, untilS: expiresS + 1 }, false],
    ['an end when the page was closed', { untilS: CLOSED_S }, true],
    ['one after that', { untilS: CLOSED_S + 1 }, false],
    ['the number of another edition', { sequence: FIRST.descriptor.sequence + 1 }, false],
  ]
  for (const [name, change, isPossible] of times)
    test(name, () => assert.equal(judge({ change }), isPossible ? 'holds' : 'time'))

  test('an end after the last edition has run out', () => {
    const short = edition(1, DAWN_S, { expiresS: DAWN_S + DAY_S / 2 })
    assert.equal(judge({ first: short, change: { untilS: DAWN_S + DAY_S / 2 } }), 'holds')
    assert.equal(judge({ first: short, change: { untilS: DAWN_S + DAY_S / 2 + 1 } }), 'time')
  })
})

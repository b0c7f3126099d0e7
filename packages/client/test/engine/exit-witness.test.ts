import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createOriginSource, toPathNode } from '@byway/protocol/directory'
import type { OriginBook, OriginBooks, PathNode, ShownExit } from '@byway/protocol/directory'
import type { Descriptor } from '@byway/protocol/wire'
import { standsAlone } from '../../src/engine/exit-witness.ts'
import { entryOf } from './drawn-nodes.ts'

/** All of its addresses are of one provider. */
const ONE_PROVIDER: OriginBook = { lookup: () => ({ country: 'DE', asn: 64_500 }) }

const originsOf = (books?: OriginBooks) => createOriginSource([], books)
const from = (books?: OriginBooks) => ({ origins: originsOf(books) })

function witness(change: Partial<Descriptor> = {}, books?: OriginBooks): PathNode {
  return toPathNode(entryOf(1, change), originsOf(books))
}

/** An exit at another place than the witness, unless told otherwise; in no directory. */
function shown(first: Partial<Descriptor> = {}, last: Partial<Descriptor> = first): ShownExit {
  const entry: ShownExit['entry'] = {
    nodeId: entryOf(2).descriptor.nodeId,
    name: new Uint8Array(32),
    fromS: 0,
    untilS: 1,
    sequence: 1,
    editionHash: new Uint8Array(32),
  }
  const editions = [first, last].map((change) => entryOf(2, change).descriptor)
  const [one, other] = editions
  assert.ok(one && other)
  return { entry, first: one, last: other, head: undefined }
}

const at = (...bytes: number[]): Partial<Descriptor> => ({
  addresses: [{ family: 4, bytes: Uint8Array.from(bytes), port: 443 }],
})

suite('a witness of an exit (SPEC §10.6)', () => {
  test('counts when it has nothing in common with the exits that it shows, or shows none', () => {
    assert.ok(standsAlone(witness(), [], from()))
    assert.ok(standsAlone(witness(), [shown()], from()))
  })

  test('does not count for itself, for its prefix, its family or its staker', () => {
    const alike: readonly (readonly [Partial<Descriptor>, Partial<Descriptor>])[] = [
      [{}, { nodeId: entryOf(1).descriptor.nodeId }],
      [at(5, 6, 7, 8), at(5, 6, 1, 1)],
      [{ familyId: new Uint8Array(32).fill(3) }, { familyId: new Uint8Array(32).fill(3) }],
      [{ stakerId: new Uint8Array(32).fill(3) }, { stakerId: new Uint8Array(32).fill(3) }],
    ]
    for (const [own, exit] of alike)
      assert.ok(!standsAlone(witness(own), [shown(), shown(exit)], from()))
  })

  test('does not count when it shared a prefix with the exit at the beginning only, or at the end', () => {
    const own = witness(at(5, 6, 7, 8))
    assert.ok(!standsAlone(own, [shown(at(5, 6, 1, 1), at(9, 9, 1, 1))], from()))
    assert.ok(!standsAlone(own, [shown(at(9, 9, 1, 1), at(5, 6, 1, 1))], from()))
  })

  test('does not count when the registry has both under one owner', () => {
    const owner = new Uint8Array(20).fill(5)
    const own = toPathNode(entryOf(1), originsOf(), { owner })
    assert.ok(standsAlone(own, [shown()], { ...from(), ownerOf: () => new Uint8Array(20) }))
    assert.ok(!standsAlone(own, [shown()], { ...from(), ownerOf: () => owner.slice() }))
  })

  test("does not count when a database of the user's has both at one provider, which no table of the network says", () => {
    const books = { databases: [ONE_PROVIDER] }
    assert.ok(!standsAlone(witness({}, books), [shown()], from(books)))
  })
})

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { toPathNode, type OriginSource, type PathNode } from '@byway/protocol/directory'
import { createNodeAddresses, type NodeAddresses } from '../../src/engine/node-addresses.ts'
import { entryOf } from './drawn-nodes.ts'
import { NOW_MS } from './signed-nodes.ts'

const HOUR_MS = 3_600_000

/** The second byte of an address is its AS. */
const origins: OriginSource = {
  lookup: ({ value }) => ({
    country: 'DE',
    countryBy: 'database',
    asn: Number((value >> 16n) & 255n),
    asnBy: 'database',
  }),
}

function edition(number: number, atMs: number, address: readonly number[]): PathNode {
  const addresses = [{ family: 4 as const, bytes: Uint8Array.from(address), port: 443 }]
  return toPathNode(entryOf(number, { publishedS: atMs / 1000, addresses }), origins)
}

function watching(path?: string): {
  readonly addresses: NodeAddresses
  readonly hear: (
    number: number,
    hours: number,
    address: readonly number[],
    stakeAgeMs?: number,
  ) => PathNode
  readonly reasonsOf: (node: PathNode) => readonly string[]
} {
  let nowMs = NOW_MS
  const addresses = createNodeAddresses({ path, nowMs: () => nowMs })
  return {
    addresses,
    hear(number, hours, address, stakeAgeMs) {
      nowMs = NOW_MS + hours * HOUR_MS
      const node = edition(number, nowMs, address)
      addresses.onEdition(node, stakeAgeMs)
      return node
    },
    reasonsOf: ({ key }) =>
      addresses
        .reasons()(key)
        .map(({ reason }) => reason),
  }
}

/** Node 1 stays; nodes 2 to 5 of its block are there for four hours each, a day apart. */
function block(hear: ReturnType<typeof watching>['hear'], stakeAgeMs?: number): PathNode {
  let staying = hear(1, 0, [84, 7, 0, 1])
  for (let number = 2; number <= 5; number++) {
    const hours = 24 * (number - 1)
    hear(number, hours, [84, 7, 0, number], stakeAgeMs)
    hear(number, hours + 4, [84, 7, 0, number], stakeAgeMs)
    staying = hear(1, hours + 23, [84, 7, 0, 1])
  }
  return staying
}

suite('addresses of nodes', () => {
  test('that change twice to another AS are noticed, by what tables say of them', () => {
    const { hear, reasonsOf } = watching()
    hear(1, 0, [84, 7, 0, 1])
    hear(1, 12, [84, 8, 0, 1])
    assert.deepEqual(reasonsOf(hear(1, 24, [84, 9, 0, 1])), ['changes-network'])
  })

  test('of a node that names none, or one of no network, are not kept', () => {
    const { addresses, hear } = watching()
    const local = hear(1, 0, [127, 0, 0, 1])
    const hidden = toPathNode(entryOf(2, { addresses: [] }), origins)
    addresses.onEdition(hidden, undefined)
    assert.deepEqual([addresses.get(local.key), addresses.get(hidden.key)], [undefined, undefined])
  })

  test('tell of a block in which nodes come and go, but not by nodes whose stakes are old', () => {
    const young = watching()
    assert.deepEqual(young.reasonsOf(block(young.hear)), ['short-lived-neighbours'])
    const old = watching()
    assert.deepEqual(old.reasonsOf(block(old.hear, 100 * HOUR_MS)), [])
  })

  test('outlive a run, and who left between two runs is not short-lived', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'byway-addresses-'))
    t.after(() => rm(folder, { recursive: true }))
    const path = join(folder, 'home', 'addresses.json')
    const first = watching(path)
    const node = block(first.hear)
    first.hear(1, 130, [85, 8, 0, 1])
    await first.addresses.flush()

    let nowMs = NOW_MS + 140 * HOUR_MS
    const again = createNodeAddresses({ path, nowMs: () => nowMs })
    await again.load()
    assert.deepEqual(again.get(node.key), first.addresses.get(node.key))
    nowMs += HOUR_MS
    again.onEdition(edition(1, nowMs, [84, 7, 0, 1]), undefined)
    assert.deepEqual(
      again
        .reasons()(node.key)
        .map(({ reason }) => reason),
      ['changes-network'],
    )
  })
})

/** The leaves that a client reads, and the paths under roots of the past. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createLeafTree, nodePoseidon } from '@byway/protocol/node-ticket'
import type { DepositLeaf } from '@byway/protocol/payment'
import { rootOf } from '@byway/protocol/ticket'
import { createTreeOver } from '../../../protocol/src/crypto/leaf-tree.ts'
import { createLeafBook } from '../../src/money/leaf-book.ts'

function leavesOf(count: number, first = 1000n): DepositLeaf[] {
  return Array.from({ length: count }, (_, index) => {
    return { index, leaf: first + BigInt(index), idc: 1n, limit: 1 }
  })
}

function bookOf(state: { all: readonly DepositLeaf[] }, createTree = createLeafTree) {
  return createLeafBook({
    chain: { leaves: async (from) => state.all.slice(from) },
    createTree,
  })
}

const rootAfter = (all: readonly DepositLeaf[], size: number): bigint =>
  createLeafTree(all.slice(0, size).map(({ leaf }) => leaf)).root

suite('the leaves of the pool', () => {
  test('give a path under a root of the past, and under an older one after it', async (t) => {
    const all = leavesOf(150)
    const book = bookOf({ all })
    for (const size of [120, 150, 77]) {
      const root = rootAfter(all, size)
      const path = await book.pathUnder(root, 1000n + 70n, t.signal)
      assert.ok(path)
      assert.equal(rootOf(nodePoseidon, 1070n, path), root)
      assert.equal(await book.pathUnder(root, 1000n + BigInt(size), t.signal), undefined)
    }
  })

  test('are read anew when the chain gives others instead', async (t) => {
    const state = { all: leavesOf(40) }
    const book = bookOf(state)
    assert.ok(await book.pathUnder(rootAfter(state.all, 40), 1003n, t.signal))
    state.all = [...leavesOf(30), ...leavesOf(20, 5000n)].map((each, index) => ({ ...each, index }))
    const root = rootAfter(state.all, 50)
    const path = await book.pathUnder(root, 5010n, t.signal)
    assert.ok(path)
    assert.equal(rootOf(nodePoseidon, 5010n, path), root)
    assert.equal(book.has(1035n), false)
    await assert.rejects(book.pathUnder(7n, 5010n, t.signal), { code: 'DEPOSIT_TOO_NEW' })
  })

  test('take a hash each, and a few for a root: not a path each, which held a client up for minutes', async (t) => {
    const all = leavesOf(4096 + 8)
    let hashes = 0
    const hash = (left: bigint, right: bigint): bigint => {
      hashes++
      return (left * 31n + right * 17n + 1n) % 1_000_003n
    }
    const book = bookOf({ all }, () => createTreeOver(hash))
    const tree = createTreeOver(hash)
    for (const { leaf } of all) tree.insert(leaf)
    const root = tree.rootAt(4096 + 3)
    hashes = 0
    assert.ok(await book.pathUnder(root, 1001n, t.signal))
    assert.ok(hashes < all.length + 8 * 13, `${hashes} hashes`)
    hashes = 0
    assert.ok(await book.pathUnder(root, 1002n, t.signal))
    assert.ok(hashes <= 13, `${hashes} hashes for a further path`)
  })
})

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

  test('are looked through once for a root that none of them had, some thousands of sizes at a time', async (t) => {
    const [first, more] = [4096 + 900, 5]
    let hashes = 0
    const hash = (left: bigint, right: bigint): bigint => {
      hashes++
      return (left * 31n + right * 17n + 1n) % 1_000_003n
    }
    const state = { all: leavesOf(first) }
    const readFrom: number[] = []
    const book = createLeafBook({
      chain: {
        async leaves(from) {
          readFrom.push(from)
          return state.all.slice(from)
        },
      },
      createTree: () => createTreeOver(hash),
    })
    const unknown = 2_000_000n
    const cost = async (): Promise<number> => {
      hashes = 0
      const looking = book.pathUnder(unknown, 1001n, t.signal)
      await assert.rejects(looking, { code: 'DEPOSIT_TOO_NEW' })
      return hashes
    }
    const whole = await cost()
    // No size costs more than a hash for each level, and the mean is half of that.
    assert.ok(whole < first + 4096 * 13, `${whole} hashes for the newest sizes`)
    const below = await cost()
    assert.ok(below > 0 && below < 900 * 13, `${below} hashes for what was left`)
    assert.equal(await cost(), 0, 'everything was looked at')
    state.all = leavesOf(first + more)
    assert.ok((await cost()) <= more * 14, 'new leaves alone')
    assert.equal(
      readFrom.filter((from) => from === 0).length,
      1 + 3,
      'read anew after 1, 2 and 4 looks',
    )
    // A root that old is found nevertheless, at the second look.
    const tree = createTreeOver(hash)
    for (const { leaf } of state.all) tree.insert(leaf)
    const old = book.pathUnder(tree.rootAt(40), 1001n, t.signal)
    await assert.rejects(old, { code: 'DEPOSIT_TOO_NEW' })
    assert.ok(await book.pathUnder(tree.rootAt(40), 1001n, t.signal))
  })

  test('go on where a look was broken off', async (t) => {
    const all = leavesOf(600)
    const stop = new AbortController()
    let hashes = 0
    const book = bookOf({ all }, () =>
      createTreeOver((left, right) => {
        // Once all leaves are in, and a part of the sizes was tried.
        if (++hashes === 2000) stop.abort(new Error('stopped'))
        return (left * 31n + right * 17n + 1n) % 1_000_003n
      }),
    )
    await assert.rejects(book.pathUnder(2_000_000n, 1001n, stop.signal), /stopped/)
    const whole = hashes
    await assert.rejects(book.pathUnder(2_000_000n, 1001n, t.signal), { code: 'DEPOSIT_TOO_NEW' })
    const left = hashes - whole
    hashes = 0
    await assert.rejects(book.pathUnder(2_000_001n, 1001n, t.signal), { code: 'DEPOSIT_TOO_NEW' })
    assert.ok(left < hashes - 1000, `${left} of ${hashes} hashes were left`)
  })
})

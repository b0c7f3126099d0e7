import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FIELD_ORDER } from '@byway/protocol/crypto'
import { createLeafTree, nodePoseidon } from '@byway/protocol/node-ticket'
import { rootOf } from '@byway/protocol/ticket'
import { LeanIMT } from '@zk-kit/lean-imt'
import fc from 'fast-check'

const poseidon2 = (a: bigint, b: bigint): bigint => nodePoseidon.poseidon2(a, b)

describe('Poseidon', () => {
  it('has the values that circomlib and its ports publish', () => {
    assert.equal(
      nodePoseidon.poseidon1(1n),
      18586133768512220936620570745912940619677854269274689475585506675881198879027n,
    )
    assert.equal(
      poseidon2(1n, 2n),
      7853200120776062878684798364095072458815029376092732009249414926327459813530n,
    )
    assert.equal(
      nodePoseidon.poseidon3(1n, 2n, 3n),
      6542985608222806190361240322586112750744169038454362455181422643027100751666n,
    )
  })

  it('takes no second name of an element', () => {
    for (const value of [FIELD_ORDER, FIELD_ORDER + 1n, -1n]) {
      assert.throws(() => nodePoseidon.poseidon1(value), { code: 'ASSERTION' })
      assert.throws(() => nodePoseidon.poseidon2(1n, value), { code: 'ASSERTION' })
      assert.throws(() => nodePoseidon.poseidon3(1n, value, 1n), { code: 'ASSERTION' })
    }
  })
})

describe('the tree of deposits (SPEC §13.2)', () => {
  it('gives every leaf a path to the root, of at most the depth that its size needs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 33 }), fc.nat(), (size, place) => {
        const leaves = Array.from({ length: size }, (_, i) => BigInt(1000 + i))
        const tree = createLeafTree(leaves)
        const index = place % size
        const path = tree.pathOf(index)
        assert.ok(path)
        assert.equal(rootOf(nodePoseidon, leaves[index]!, path), tree.root)
        assert.ok(path.siblings.length <= Math.ceil(Math.log2(size)))
        assert.ok(path.pathBits < 2 ** path.siblings.length)
        if (size > 1) assert.notEqual(rootOf(nodePoseidon, 999n, path), tree.root)
      }),
      { numRuns: 12 },
    )
  })

  it('is the library’s at every size that it had, paths too, with equal leaves', () => {
    const leaves = Array.from({ length: 70 }, (_, i) => BigInt(5 + (i % 11)))
    const tree = createLeafTree(leaves)
    assert.equal(createLeafTree().root, 0n)
    assert.equal(tree.size, leaves.length)
    for (let size = 1; size <= leaves.length; size++) {
      const oracle = new LeanIMT((a: bigint, b: bigint) => poseidon2(a, b), leaves.slice(0, size))
      assert.equal(tree.rootAt(size), oracle.root, `${size} leaves`)
      for (let index = 0; index < size; index++) {
        const { index: pathBits, siblings } = oracle.generateProof(index)
        assert.deepEqual(tree.pathOf(index, size), { pathBits, siblings }, `${index} of ${size}`)
      }
      assert.equal(tree.pathOf(size, size), undefined)
    }
    assert.equal(tree.pathOf(0, leaves.length + 1), undefined)
  })

  it('leaves out a level without a sibling: a node moves up as it is', () => {
    const tree = createLeafTree([1n, 2n, 3n])
    assert.equal(tree.root, poseidon2(poseidon2(1n, 2n), 3n))
    assert.deepEqual(tree.pathOf(2), { pathBits: 1, siblings: [poseidon2(1n, 2n)] })
  })

  it('has no path for a leaf that is not there', () => {
    const tree = createLeafTree([1n])
    for (const index of [-1, 1, 0.5, Number.NaN]) assert.equal(tree.pathOf(index), undefined)
    assert.deepEqual(tree.pathOf(0), { pathBits: 0, siblings: [] })
    assert.equal(tree.root, 1n)
  })
})

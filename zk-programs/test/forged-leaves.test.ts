/** The forgery of the two-input leaf works where the leaf's hash has two inputs. So the same code, that finds nothing against the program, can find something. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { poseidon2, poseidon3 } from 'poseidon-lite'
import { slotInput } from '../../packages/zk/src/slot.ts'
import type { LeafPath } from '../../packages/zk/src/leaf-path.ts'
import {
  FORGED_LIMIT,
  FORGER,
  type Forgeries,
  forgeLeaves,
} from '../../packages/zk/test/forged-leaves.ts'
import { TAG } from '../../packages/zk/test/tree-kit.ts'
import { type Calculate, type Change, compileVariant, createVariantFolder } from './kit/variants.ts'

const TWO_INPUTS: Change = ['Poseidon(3)([idc, limit, tag])', 'Poseidon(2)([idc, limit])']
/** A bond unit a slot, so that all numbers up to 65 534 are slots. */
const CLAIM = { secret: FORGER, limit: FORGED_LIMIT, domain: 42n, x: 777n, tag: TAG }
const LAST = FORGED_LIMIT - 1

describe('a depositor of one slot who shows slots up to 65 534', () => {
  const folder = createVariantFolder()
  after(() => folder[Symbol.dispose]())

  /** The first path by which the last slot is shown under the root, if there is one. */
  const forge = async (calculate: Calculate, { root, paths }: Forgeries) => {
    for (const path of paths) if ((await rootOf(calculate, path, LAST)) === root) return path
    return undefined
  }
  const rootOf = async (calculate: Calculate, path: LeafPath, j: number) =>
    (await calculate(slotInput({ ...CLAIM, j, path, unitsPerSlot: 1n })))[1]
  const compile = (...changes: readonly Change[]): Calculate =>
    compileVariant({ program: 'slot', changes, isReal: true }, folder.path)
  let program: Calculate
  before(() => {
    program = compile()
  })

  it('succeeds where a leaf is a hash of two, like a node', async () => {
    const forgeries = forgeLeaves((idc, limit) => poseidon2([idc, limit]))
    const broken = compile(TWO_INPUTS)
    const path = await forge(broken, forgeries)
    assert.ok(path)
    for (const j of [0, 1, 13_000])
      assert.equal(await rootOf(broken, path, j), forgeries.root, `slot ${j}`)
  })

  it('succeeds against the program where only the contract makes leaves like nodes', async () => {
    const forgeries = forgeLeaves((idc, limit) => poseidon2([idc, limit]))
    assert.ok(await forge(program, forgeries))
  })

  it('fails against the program and the leaves that the contract makes', async () => {
    const forgeries = forgeLeaves((idc, limit, tag) => poseidon3([idc, limit, tag]))
    assert.equal(await forge(program, forgeries), undefined)
  })
})

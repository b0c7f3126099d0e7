import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { slotProofAuthoriserArtifact } from '@byway/chain'
import { unsafePlainAuthoriserArtifact } from './artifacts/unsafe-plain-authoriser.ts'
import { concat, type Hex } from 'viem'
import { openingX, plainDigest, proofBytes, type Shown, uint } from './kit/bytes.ts'
import { keyOf } from './kit/keys.ts'
import { startScene } from './kit/scene.ts'
import type { Leaf } from './kit/slots.ts'
import { DEPLOYER, linked, PROFILE } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('BadProfile', 'DevelopmentSetUp', 'OnlyOnLocalChain')

const FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const scene = await startScene()
const { client, payer, world } = scene
after(() => scene[Symbol.asyncDispose]())

const leaves: Leaf[] = []
for (const name of ['a', 'b', 'c', 'd', 'e']) leaves.push(await client.deposit(payer, name, 12))
const leaf = leaves[2] ?? assert.fail()
const x = openingX(keyOf('session').address, uint(0, 256))
const proof = client.prove(leaf, 1, x)
const nullifier = client.nullifierOf(leaf.owner, 1)

type Statement = { root: bigint; nullifier: bigint; domain: bigint; x: bigint; proof: Hex }
const good: Statement = { root: client.tree.root, nullifier, domain: client.domain, x, proof }
const verify = async (change: Partial<Statement> = {}) => {
  const { root, nullifier: of, domain, x: to, proof: by } = { ...good, ...change }
  return world.rpc.read(world.inAuthoriser('verify', root, of, domain, to, by))
}
/** The proof with some bytes replaced. */
const patched = (at: number, bytes: Hex): Hex =>
  `0x${proof.slice(2, 2 + 2 * at)}${bytes.slice(2)}${proof.slice(2 * at + bytes.length)}`

test('says yes to a plain proof, from every place of the tree', async () => {
  assert.equal(await verify(), true)
  for (const each of leaves)
    for (const j of [0, 1])
      assert.equal(
        await verify({
          nullifier: client.nullifierOf(each.owner, j),
          proof: client.prove(each, j, x),
        }),
        true,
      )
  assert.equal(await world.rpc.read(world.inAuthoriser('tag')), client.tag)
})

test('refuses public inputs at or above the field’s order', async () => {
  for (const field of ['root', 'nullifier', 'domain', 'x'] as const)
    for (const value of [good[field] + FIELD, FIELD, 2n ** 256n - 1n])
      assert.equal(await verify({ [field]: value }), false, field)
})

test('refuses another statement than the one that was proven', async () => {
  for (const field of ['root', 'nullifier', 'domain', 'x'] as const)
    assert.equal(await verify({ [field]: good[field] + 1n }), false, field)
})

test('refuses a slot beyond the limit, and a limit that is not the leaf’s', async () => {
  const beyond = { nullifier: client.nullifierOf(leaf.owner, 2), proof: client.prove(leaf, 2, x) }
  assert.equal(await verify(beyond), false)
  assert.equal(
    await verify({ ...beyond, proof: client.prove({ ...leaf, limit: 15 }, 2, x) }),
    false,
  )
  const huge = client.prove({ ...leaf, limit: 2 ** 32 - 1 }, 2 ** 32 - 1, x)
  assert.equal(await verify({ proof: huge }), false)
})

test('an inner node is no leaf: a shorter path forges nothing', async () => {
  const thief = keyOf('thief')
  const signature = thief.sign(plainDigest(good.root, nullifier, good.domain, x))
  assert.equal(
    await verify({ proof: concat([signature, proof.slice(0, 2) as Hex, `0x${proof.slice(132)}`]) }),
    false,
  )
  const stolen = concat([signature, `0x${proof.slice(132)}`])
  assert.equal(await verify({ proof: stolen, nullifier: client.nullifierOf(thief, 1) }), false)
})

test('has one writing of a proof, and never reverts on others', async () => {
  const length = (proof.length - 2) / 2
  const others: readonly Hex[] = [
    '0x',
    patched(64, '0x00'),
    patched(73, '0xff'),
    patched(77, '0x1b'),
    patched(77, '0xff'),
    patched(77, '0x00'),
    concat([proof, '0x00']),
    proof.slice(0, -2) as Hex,
    proof.slice(0, 2 + 2 * 77) as Hex,
    concat([`0x${proof.slice(2, 2 + 2 * 77)}`, '0x1b', ...Array<Hex>(27).fill(uint(1, 256))]),
    patched(78, uint(FIELD, 256)),
    patched(length - 32, uint(2n ** 256n - 1n, 256)),
  ]
  for (const [i, other] of others.entries())
    assert.equal(await verify({ proof: other }), false, `${i}`)
})

test('judges many at once: all or none', async () => {
  const one = { root: good.root, nullifier, x }
  const all = (statements: readonly Shown[], proofs: readonly Hex[]) =>
    world.rpc.read(world.inAuthoriser('verifyAll', client.domain, proofBytes(statements, proofs)))
  assert.equal(await all([one, one], [proof, proof]), true)
  assert.equal(await all([one, { ...one, x: x + 1n }], [proof, proof]), false)
  assert.equal(await all([one, one], [proof]), false)
  assert.equal(await all([], []), false)
})

test('deploys on chain id 31337 only', async () => {
  const contract = linked(unsafePlainAuthoriserArtifact, world.libraries)
  const { winValue, winsPerSlot, bond, unit } = PROFILE
  await world.rpc.request('anvil_setChainId', 1)
  await assert.rejects(world.rpc.deploy(DEPLOYER, contract, [winValue, winsPerSlot, bond, unit]), {
    reason: 'OnlyOnLocalChain',
  })
  await world.rpc.request('anvil_setChainId', 31_337)
  await world.rpc.deploy(DEPLOYER, contract, [winValue, winsPerSlot, bond, unit])
})

test('the authoriser of slot proofs refuses real chains under a development set-up, and odd profiles', async () => {
  const { winValue, winsPerSlot, bond, unit } = PROFILE
  const deploy = (...args: readonly unknown[]) =>
    world.rpc.deploy(DEPLOYER, slotProofAuthoriserArtifact, args)
  await world.rpc.request('anvil_setChainId', 1)
  await assert.rejects(deploy(winValue, winsPerSlot, bond, unit), { reason: 'DevelopmentSetUp' })
  await world.rpc.request('anvil_setChainId', 31_337)
  for (const odd of [
    [winValue, winsPerSlot, 0n, unit],
    [winValue, winsPerSlot, bond, 0n],
    [winValue, winsPerSlot, bond, bond / 3n],
    [winValue, winsPerSlot, bond - 1n, unit],
    [2n ** 16n, 1, 1n, 1n],
  ])
    await assert.rejects(deploy(...odd), { reason: 'BadProfile' })
})

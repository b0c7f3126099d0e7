import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { serviceAuditorArtifact } from '@byway/chain'
import type { Hex } from 'viem'
import { keyOf } from './kit/keys.ts'
import { PROOF, SIGNALS } from './kit/real-service-proof.ts'
import { startRpc } from './kit/rpc.ts'
import { DEPLOYER } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('DevelopmentSetUp')

const rpc = await startRpc()
after(() => rpc[Symbol.asyncDispose]())

/** The generator of G1, and of G2 in the chain's order: points on the curve that prove nothing. */
const G1 = [1n, 2n]
const G2 = [
  11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  4082367875863433681332203403145435568316851327593401208105741076214120093531n,
  8495653923123431417604973247489272438418190587263600148770280649306958101930n,
]
const word = (value: bigint): string => value.toString(16).padStart(64, '0')
const proofOf = (points: readonly bigint[]): Hex => `0x${points.map(word).join('')}`

const [epoch = 0n, root = 0n, total = 0n, maxUnits = 0n, beacon = 0n] = SIGNALS.slice(13, 18)
const statement = {
  receiptKeys: SIGNALS.slice(0, 12),
  provider: keyOf('provider').address,
  epoch,
  root,
  total,
  maxUnits,
  beacon,
  nullifiers: SIGNALS.slice(18),
}

const auditor = await rpc.deploy(DEPLOYER, serviceAuditorArtifact, [])
const { abi } = serviceAuditorArtifact
const verify = (proof: Hex, change: object = {}) =>
  rpc.read({ abi, to: auditor, name: 'verify', args: [{ ...statement, ...change }, proof] })

test('takes a real proof, for exactly what it was made (SPEC §17.3)', async () => {
  assert.equal(await verify(PROOF), true)
  const swapped = (values: readonly bigint[]) => [values[1], values[0], ...values.slice(2)]
  const changes: readonly object[] = [
    { receiptKeys: swapped(statement.receiptKeys) },
    { provider: keyOf('other').address },
    { epoch: epoch + 1n },
    { root: root + 1n },
    { total: total + 1n },
    { maxUnits: maxUnits + 1n },
    { beacon: beacon + 1n },
    { nullifiers: swapped(statement.nullifiers) },
  ]
  for (const change of changes)
    assert.equal(await verify(PROOF, change), false, Object.keys(change).join())
})

test('says no to what proves nothing, and never reverts (SPEC §17.3)', async () => {
  const onCurve = proofOf([...G1, ...G2, ...G1])
  assert.equal(await verify(onCurve), false)
  assert.equal(await verify('0x'), false)
  assert.equal(await verify(proofOf(Array.from({ length: 8 }, () => 0n))), false)
  // The same number with the field's order added is another form of it.
  const alias =
    total + 21888242871839275222246405745257275088548364400416034343698204186575808495617n
  assert.equal(await verify(PROOF, { total: alias }), false)
})

test('its development key is refused on any chain but a local one', async () => {
  await rpc.request('anvil_setChainId', 1)
  await assert.rejects(rpc.deploy(DEPLOYER, serviceAuditorArtifact, []), {
    reason: 'DevelopmentSetUp',
  })
  await rpc.request('anvil_setChainId', 31_337)
})

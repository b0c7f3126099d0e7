/** The precompiles use up all gas they are given for a point off the curve: one bad proof must not cost a batch all it has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, type Hex } from 'viem'
import { slotProofAuthoriserArtifact } from '@byway/chain'
import { proofBytes, uint } from './kit/bytes.ts'
import { startRpc } from './kit/rpc.ts'
import { DEPLOYER, PROFILE } from './kit/world.ts'

/** The generators, as EIP-197 writes them. */
const G1 = [1n, 2n] as const
const G2 = [
  11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  4082367875863433681332203403145435568316851327593401208105741076214120093531n,
  8495653923123431417604973247489272438418190587263600148770280649306958101930n,
] as const
const PROOFS = 16
/** A call is given 25 000 000; a batch whose proofs hold takes 940 000. */
const MOST_GAS = 3_000_000n
const STATEMENT = { root: 11n, nullifier: 12n, x: 13n }

/** A proof of points on the curve that shows nothing, with one word another. */
function proofWith(place: number): Hex {
  const words = [...G1, ...G2, ...G1].map((word, at) => (at === place ? word + 1n : word))
  return concat(words.map((word) => uint(word, 256)))
}

for (const [name, place] of [
  ['A', 1],
  ['B', 5],
  ['C', 7],
  ['no point', -1],
] as const) {
  test(`a batch with ${name} off the curve is refused for little gas`, async () => {
    await using rpc = await startRpc()
    const { abi } = slotProofAuthoriserArtifact
    const { winValue, winsPerSlot, bond, unit } = PROFILE
    const profile = [winValue, winsPerSlot, bond, unit]
    const to = await rpc.deploy(DEPLOYER, slotProofAuthoriserArtifact, profile)
    for (const at of [0, PROOFS - 1]) {
      const proofs = Array.from({ length: PROOFS }, (_, i) => proofWith(i === at ? place : -1))
      const packed = proofBytes(
        proofs.map(() => STATEMENT),
        proofs,
      )
      const call = { abi, to, name: 'verifyAll', args: [4242n, packed] }
      assert.equal(await rpc.read(call), false)
      const { gasUsed } = await rpc.send(DEPLOYER, call)
      assert.ok(gasUsed < MOST_GAS, `${gasUsed} at place ${at}`)
    }
  })
}

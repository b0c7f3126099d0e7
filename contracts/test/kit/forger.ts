/** Proofs of anything, by the secrets of the development set-up, which everybody knows. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { ChaCha } from 'ffjavascript'
import { concat, type Hex, type PublicClient } from 'viem'
import type { ProgramName } from '@byway/zk'
import { readVerificationKey } from '../../../packages/zk/src/artefacts.ts'
import { developmentSecret } from '../../../zk-programs/tools/development-secrets.ts'
import { BEACON, BEACON_ITERATIONS } from '../../../zk-programs/tools/development-beacon.ts'
import { invert, ORDER } from '../../../zk-programs/tools/field.ts'
import { uint } from './bytes.ts'

/** Which point of a proof is at infinity. */
export const INFINITE_POINTS = ['A', 'B', 'C'] as const
export type InfinitePoint = (typeof INFINITE_POINTS)[number]

/** The chain's own arithmetic of the first group (EIP-196). */
const ADD = '0x0000000000000000000000000000000000000006'
const MULTIPLY = '0x0000000000000000000000000000000000000007'
const G1: Hex = concat([uint(1, 256), uint(2, 256)])
/** Of the second group, imaginary parts first (EIP-197). */
const G2: Hex = concat(
  [
    11559732032986387107991004021392285783925812861821192530917403151452391805634n,
    10857046999023057135944570762232829481370756359578518086990519993285655852781n,
    4082367875863433681332203403145435568316851327593401208105741076214120093531n,
    8495653923123431417604973247489272438418190587263600148770280649306958101930n,
  ].map((word) => uint(word, 256)),
)
const ZERO_WORD: Hex = uint(0, 256)

/**
 * A proof that holds for these signals by the equation e(A, B) = e(α, β) · e(S, γ) · e(C, δ), where γ is the generator.
 *
 * @param client - of any chain: its precompiles compute
 * @param infinite - undefined: none of the points is
 */
export async function forgeProof(
  client: PublicClient,
  program: ProgramName,
  signals: readonly bigint[],
  infinite: InfinitePoint | undefined,
): Promise<Hex> {
  const call = async (to: Hex, ...words: Hex[]): Promise<Hex> => {
    const { data } = await client.call({ to, data: concat(words) })
    return data ?? assert.fail('points of the curve')
  }
  const times = (point: Hex, factor: bigint): Promise<Hex> =>
    call(MULTIPLY, point, uint(factor, 256))
  const [alpha, beta] = [developmentSecret('alpha'), developmentSecret('beta')]
  const key = await readVerificationKey(program)
  const [first, ...others] = key.IC.map(([x = '', y = '']) =>
    concat([uint(BigInt(x), 256), uint(BigInt(y), 256)]),
  )
  assert.ok(first && others.length === signals.length)
  // All of the right side but C's part, over the generator of the second group.
  let right = await call(ADD, await times(G1, (alpha * beta) % ORDER), first)
  for (const [i, point] of others.entries())
    right = await call(ADD, right, await times(point, signals[i] ?? 0n))
  // What C has to be where A and B pair to one, or to that of the generators.
  const thirdFor = (sum: Hex): Promise<Hex> => times(sum, ORDER - invert(beaconDelta()))
  if (infinite === 'C') return concat([right, G2, ZERO_WORD, ZERO_WORD])
  const third = await thirdFor(right)
  if (infinite === 'A') return concat([ZERO_WORD, ZERO_WORD, G2, third])
  if (infinite === 'B') return concat([G1, ZERO_WORD, ZERO_WORD, ZERO_WORD, ZERO_WORD, third])
  const less = await call(ADD, right, await times(G1, ORDER - 1n))
  return concat([G1, G2, await thirdFor(less)])
}

/** δ of the keys that snarkjs makes: what it draws of the beacon by ChaCha, taken as the field's inner form. */
function beaconDelta(): bigint {
  let hash = Buffer.from(BEACON, 'hex')
  for (let i = 0; i < 2 ** BEACON_ITERATIONS; i++) hash = createHash('sha256').update(hash).digest()
  const random = new ChaCha(Array.from({ length: 8 }, (_, i) => hash.readUInt32BE(4 * i)))
  for (;;) {
    let value = 0n
    for (let i = 0n; i < 4n; i++) value += random.nextU64() << (64n * i)
    value &= 2n ** 254n - 1n
    if (value < ORDER) return (value * invert(2n ** 256n % ORDER)) % ORDER
  }
}

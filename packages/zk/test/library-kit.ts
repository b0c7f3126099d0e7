/** What snarkjs, which shares no code with our prover and verifier but the curve's arithmetic, says of a proof. */
import { buildBn128 } from 'ffjavascript'
import { groth16 } from 'snarkjs'
import type { ProgramName } from '@byway/zk'
import { readVerificationKey } from '../src/artefacts.ts'
import { PROOF_BYTES } from '../src/proof.ts'

/** A proof and what it is said to be for. */
export type Claim = { readonly signals: readonly bigint[]; readonly proof: Uint8Array }

const WORD_BYTES = 32

/** Whether it holds under a key, as snarkjs writes one. */
export async function libraryVerifies(key: object, { signals, proof }: Claim): Promise<boolean> {
  // It looks here before it builds a curve with threads of its own, which it never ends.
  const shared = globalThis as { curve_bn128?: unknown }
  shared.curve_bn128 ??= await buildBn128(true)
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = Array.from(
    { length: PROOF_BYTES / WORD_BYTES },
    (_, i) => {
      const word = proof.slice(WORD_BYTES * i, WORD_BYTES * (i + 1))
      return BigInt(`0x${Buffer.from(word).toString('hex')}`).toString()
    },
  )
  const b = [
    [bx0, bx1],
    [by0, by1],
    ['1', '0'],
  ]
  const decoded = { pi_a: [ax, ay, '1'], pi_b: b, pi_c: [cx, cy, '1'] }
  // Some points that are off the curve make it throw.
  return await groth16.verify(key, signals.map(String), decoded).catch(() => false)
}

/** Whether it holds under a program's own key. */
export async function libraryAccepts(program: ProgramName, claim: Claim): Promise<boolean> {
  return libraryVerifies(await readVerificationKey(program), claim)
}

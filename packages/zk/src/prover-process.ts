/**
 * The process in which proofs are made and checked: one job at a time, one thread of the curve library. A process, since that library takes every
 * worker thread for its own. A job's failure is an answer, never a crash.
 * @module
 */
import { buildBn128 } from 'ffjavascript'
import { groth16 } from 'snarkjs'
import type { SignalInput } from 'snarkjs'
import { readArtefacts } from './artefacts.ts'
import type { Artefacts, ProgramName } from './artefacts.ts'
import { decodeProof, encodeProof, SCALAR_ORDER } from './proof.ts'

/** What the process is asked. */
export type Job = { readonly id: number; readonly program: ProgramName } & (
  | { readonly do: 'prove'; readonly input: SignalInput }
  | { readonly do: 'load' }
  | { readonly do: 'verify'; readonly signals: readonly bigint[]; readonly proof: Uint8Array }
)

/** What it answers. */
export type Answer = { readonly id: number } & (
  | { readonly result: 'proof'; readonly signals: readonly bigint[]; readonly proof: Uint8Array }
  | { readonly result: 'loaded' }
  | { readonly result: 'verdict'; readonly holds: boolean }
  | { readonly result: 'failed'; readonly why: 'artefact' | 'false' }
)

/** The library looks here before it builds a curve with threads of its own, which it never ends. */
const shared = globalThis as { curve_bn128?: Awaited<ReturnType<typeof buildBn128>> }
const loaded = new Map<ProgramName, Promise<Artefacts>>()

async function answer(job: Job): Promise<Answer> {
  const { id } = job
  shared.curve_bn128 ??= await buildBn128(true)
  const artefacts = await load(job.program).catch(() => undefined)
  if (!artefacts) return { id, result: 'failed', why: 'artefact' }
  if (job.do === 'load') return { id, result: 'loaded' }
  if (job.do === 'verify')
    return { id, result: 'verdict', holds: await verify(artefacts, job.signals, job.proof) }
  try {
    return { id, result: 'proof', ...(await prove(artefacts, job.input)) }
  } catch {
    return { id, result: 'failed', why: 'false' }
  }
}

function load(program: ProgramName): Promise<Artefacts> {
  const known = loaded.get(program) ?? readArtefacts(program)
  loaded.set(program, known)
  return known
}

async function prove({ wasm, zkey }: Artefacts, input: SignalInput) {
  const options = { singleThread: true }
  const made = await groth16.fullProve(input, wasm, zkey, undefined, undefined, options)
  return { signals: made.publicSignals.map(BigInt), proof: encodeProof(made.proof) }
}

async function verify(
  { verificationKey }: Artefacts,
  signals: readonly bigint[],
  bytes: Uint8Array,
): Promise<boolean> {
  const proof = decodeProof(bytes)
  if (!proof || signals.some((signal) => signal < 0n || signal >= SCALAR_ORDER)) return false
  try {
    return await groth16.verify(verificationKey, signals.map(String), proof)
  } catch {
    // A point that is not on the curve.
    return false
  }
}

let last = Promise.resolve()
process.on('message', (job: Job) => {
  last = last.then(async () => void process.send?.(await answer(job)))
})
// Without its parent it has nobody to work for.
process.on('disconnect', () => process.exit(0))

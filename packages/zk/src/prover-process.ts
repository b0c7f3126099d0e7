/**
 * The process in which proofs are made and checked: one job at a time, on one thread, or with one of the library's for each core. A process, since that library takes every
 * worker thread for its own. A job's failure is an answer, never a crash.
 * @module
 */
import type { SignalInput } from 'snarkjs'
import { readProvingFiles, readVerificationKey } from './artefacts.ts'
import type { ProgramName } from './artefacts.ts'
import { ALL_CORES } from './audit-prover.ts'
import type { Proved } from './engine.ts'
import { createGroth16 } from './groth16.ts'
import { createGroth16Verifier, type Groth16Verifier } from './groth16-verify.ts'
import { encodeProof } from './proof.ts'
import { createWitnessMaker } from './witness.ts'

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

/** Proves one program's statement. @throws Error for a false one */
type Prover = (input: SignalInput) => Proved | Promise<Proved>

const isSingleThread = !process.argv.includes(ALL_CORES)
/** A process either proves or verifies, and reads only what that takes. */
const provers = new Map<ProgramName, Promise<Prover>>()
const verifiers = new Map<ProgramName, Promise<Groth16Verifier>>()

async function answer(job: Job): Promise<Answer> {
  const { id } = job
  try {
    if (job.do === 'prove') return await proved(job.program, id, job.input)
    const verify = await once(verifiers, job.program, openVerifier)
    if (job.do === 'load') return { id, result: 'loaded' }
    return { id, result: 'verdict', holds: verify(job.signals, job.proof) }
  } catch {
    return { id, result: 'failed', why: 'artefact' }
  }
}

async function proved(program: ProgramName, id: number, input: SignalInput): Promise<Answer> {
  const prover = await once(provers, program, isSingleThread ? openProver : openManyThreads)
  try {
    return { id, result: 'proof', ...(await prover(input)) }
  } catch {
    return { id, result: 'failed', why: 'false' }
  }
}

async function openVerifier(program: ProgramName): Promise<Groth16Verifier> {
  return createGroth16Verifier(program, await readVerificationKey(program))
}

/** Opens what a program takes at its first job. */
function once<Files>(
  known: Map<ProgramName, Promise<Files>>,
  program: ProgramName,
  read: (program: ProgramName) => Promise<Files>,
): Promise<Files> {
  const files = known.get(program) ?? read(program)
  known.set(program, files)
  return files
}

async function openProver(program: ProgramName): Promise<Prover> {
  const { wasm, zkey } = await readProvingFiles(program)
  const [witnessOf, prove] = [createWitnessMaker(wasm), createGroth16(program, zkey)]
  return (input) => prove(witnessOf(input))
}

/** For a program so large that it takes all cores, and the library's threads. */
async function openManyThreads(program: ProgramName): Promise<Prover> {
  const [{ wasm, zkey }, { groth16 }] = await Promise.all([readProvingFiles(program), library()])
  return async (input) => {
    const made = await groth16.fullProve(input, wasm, zkey)
    return { signals: made.publicSignals.map(BigInt), proof: encodeProof(made.proof) }
  }
}

/** Only where it is used: it takes a second of a core to start. */
async function library() {
  const [{ buildBn128 }, { groth16 }] = await Promise.all([
    import('ffjavascript'),
    import('snarkjs'),
  ])
  // It looks here before it builds a curve with threads of its own, which it never ends.
  const shared = globalThis as { curve_bn128?: Awaited<ReturnType<typeof buildBn128>> }
  shared.curve_bn128 ??= await buildBn128(isSingleThread)
  return { groth16 }
}

let last = Promise.resolve()
process.on('message', (job: Job) => {
  last = last.then(async () => void process.send?.(await answer(job)))
})
// Without its parent it has nobody to work for.
process.on('disconnect', () => process.exit(0))

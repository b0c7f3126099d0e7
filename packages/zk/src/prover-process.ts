/**
 * The process in which proofs are made and checked: one job at a time, on one thread, or for a large program with a thread for each core. A process, so that it can give way to
 * the node and be ended at any moment. A job's failure is an answer, never a crash.
 * @module
 */
import { findProvingFiles, readProvingFiles, readVerificationKey } from './artefacts.ts'
import type { ProgramName } from './programs.ts'
import { ALL_CORES, type Answer, type Job, type Proved } from './prover-jobs.ts'
import { zkError } from './errors.ts'
import { createGroth16 } from './groth16.ts'
import { createGroth16Verifier, type Groth16Verifier } from './groth16-verify.ts'
import { proveInThreads } from './groth16-threads.ts'
import type { OnProofProgress, ProofProgress } from './progress.ts'
import { createWitnessMaker, type SignalInput } from './witness.ts'

/** Proves one program's statements. */
type Prover = {
  /** All wires. @throws Error for a false statement */
  readonly witnessOf: (input: SignalInput) => Uint8Array
  readonly prove: (witness: Uint8Array, onProgress: OnProofProgress) => Proved | Promise<Proved>
}

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
  const open = isSingleThread ? openProver : openManyThreads
  const { witnessOf, prove } = await once(provers, program, open)
  const onProgress = (progress: ProofProgress): void => {
    if (!isSingleThread) process.send?.({ id, result: 'progress', progress } satisfies Answer)
  }
  onProgress({ stage: 'witness', done: 0, total: 1 })
  let witness: Uint8Array
  try {
    witness = witnessOf(input)
  } catch {
    return { id, result: 'failed', why: 'false' }
  }
  return { id, result: 'proof', ...(await prove(witness, onProgress)) }
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
  return { witnessOf: createWitnessMaker(wasm), prove: createGroth16(program, zkey) }
}

/** For a program so large that it takes all cores. What a wrong proof costs is more than looking at it. */
async function openManyThreads(program: ProgramName): Promise<Prover> {
  const { wasm, keyPath } = await findProvingFiles(program)
  const verify = await openVerifier(program)
  return {
    witnessOf: createWitnessMaker(wasm),
    prove: async (witness, onProgress) => {
      const made = await proveInThreads(program, keyPath, witness, { onProgress })
      if (!verify(made.signals, made.proof)) throw zkError('ZK_ARTEFACT', { program })
      return made
    },
  }
}

let last = Promise.resolve()
process.on('message', (job: Job) => {
  last = last.then(async () => void process.send?.(await answer(job)))
})
// Without its parent it has nobody to work for.
process.on('disconnect', () => process.exit(0))

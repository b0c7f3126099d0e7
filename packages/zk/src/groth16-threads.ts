/**
 * Makes one Groth16 proof of a large program on all cores: each thread reads its share of the key's points and sums it, while one of them computes the quotient's rows. The
 * arithmetic is that of groth16.ts.
 * @module
 */
import { availableParallelism } from 'node:os'
import type { ProgramName } from './programs.ts'
import { type CurveMemory, ELEMENT_BYTES, openCurve, writeNumber } from './curve-memory.ts'
import type { Proved } from './prover-jobs.ts'
import { signalsOf } from './groth16.ts'
import type { ProofAnswer, ProofTask, ProofThreadData } from './groth16-worker.ts'
import type { GroupName } from './group.ts'
import { type KeyFile, openBytes, openKeyFile, type PointsName } from './key-file.ts'
import type { ProofOptions } from './progress.ts'
import { createBlinding, openPoint, randomBlinds, type SumPoint } from './proof-sums.ts'
import { placeConstants } from './proving-key.ts'
import { createThreads, type Threads } from './threads.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Threads of one proof: each takes up to a hundred megabytes. */
const MAX_PROOF_THREADS = 8
/** Of a key, that one thread sums at a time. More of them take fewer additions each. */
const MAX_PART_POINTS = 131_072

/** How a proof is shared out. */
export type SharedProofOptions = ProofOptions & {
  /** @default the machine's cores, at most eight */
  readonly threads?: number | undefined
  /** Points of a part. @default 131 072, or fewer where there are many threads */
  readonly partPoints?: number | undefined
}

/**
 * Makes the proof for a witness: every wire, 32 bytes each, least byte first, below the scalars' order. That it meets the constraints, and that the key's file is the right one, is
 * for its caller to see.
 *
 * @throws ZK_STOPPED when a thread ended, the signal's reason, or what the system says of the key's file
 */
export async function proveInThreads(
  program: ProgramName,
  keyPath: string,
  witness: Uint8Array,
  {
    threads: count = coresToUse(),
    partPoints = MAX_PART_POINTS,
    onProgress,
    signal,
  }: SharedProofOptions = {},
): Promise<Proved> {
  using bytes = openBytes(keyPath)
  const key = openKeyFile(bytes.read)
  const parts = (name: PointsName): readonly Part[] => partsOf(key.count(name), count, partPoints)
  const mostPoints = Math.max(...NAMES.flatMap(parts).map(({ from, to }) => to - from))
  await using threads = createThreads<ProofTask, ProofAnswer>({
    url: WORKER_URL,
    name: 'groth16',
    program,
    count,
    limits: THREAD_SIZES,
    data: { program, keyPath, mostPoints } satisfies ProofThreadData,
    signal,
  })
  const total = NAMES.reduce((all, name) => all + key.count(name), 0)
  let done = 0
  const onSummed = (points: number): void => {
    done += points
    onProgress?.({ stage: 'sums', done, total })
  }
  onSummed(0)
  const sums = await sumAll(threads, share(witness), parts, onSummed)
  return { signals: signalsOf(witness, key.publicSignals), proof: combine(program, key, sums) }
}

/** Points of a section, from one up to another. */
type Part = { readonly from: number; readonly to: number }
/** Of each section, the sums of its parts. */
type PartSums = Readonly<Record<PointsName, readonly Uint8Array[]>>

/** The longest sums first, so that threads end at about the same time. */
const NAMES = ['b2', 'a', 'c', 'b1', 'h'] as const satisfies readonly PointsName[]

function coresToUse(): number {
  return Math.min(availableParallelism(), MAX_PROOF_THREADS)
}

/** At least one for each thread. */
function partsOf(points: number, threads: number, most: number): readonly Part[] {
  const parts = Math.max(threads, Math.ceil(points / most))
  const place = (part: number): number => Math.floor((points * part) / parts)
  return Array.from({ length: parts }, (_, part) => ({ from: place(part), to: place(part + 1) }))
}

async function sumAll(
  threads: Threads<ProofTask, ProofAnswer>,
  wires: SharedArrayBuffer,
  partsFor: (name: PointsName) => readonly Part[],
  onSummed: (points: number) => void,
): Promise<PartSums> {
  const rows = threads.run({ do: 'rows', wires }).then((answer) => {
    if ('rows' in answer) return answer.rows
    throw new TypeError('a sum is no row')
  })
  const sumsOf = async (name: PointsName): Promise<readonly Uint8Array[]> => {
    const numbers = name === 'h' ? await rows : wires
    const tasks = partsFor(name).map(async (part) => {
      // What had to wait for the rows comes next.
      const sum = await threads.run({ do: 'sum', points: name, ...part, numbers }, name === 'h')
      onSummed(part.to - part.from)
      return sum
    })
    return (await Promise.all(tasks)).map((answer) => {
      if ('sum' in answer) return answer.sum
      throw new TypeError('rows are no sum')
    })
  }
  const [b2, a, c, b1, h] = await Promise.all(NAMES.map(sumsOf))
  return { a: a ?? [], b1: b1 ?? [], b2: b2 ?? [], c: c ?? [], h: h ?? [] }
}

function combine(program: ProgramName, key: KeyFile, sums: PartSums): Uint8Array {
  const curve = openCurve(program, ROOM_BYTES)
  const blind = createBlinding(curve, placeConstants(curve, key))
  const blinds = randomBlinds()
  const [a, b1] = [addUp(curve, 'g1m', sums.a), addUp(curve, 'g1m', sums.b1)]
  const b = addUp(curve, 'g2m', sums.b2)
  const c = addUp(curve, 'g1m', [...sums.c, ...sums.h])
  const r = curve.alloc(ELEMENT_BYTES)
  writeNumber(curve.view, r, blinds.r)
  curve.call('g1m_toAffine')(b1.at, b1.affine)
  c.add(b1.affine, r)
  return blind({ a, b, c }, blinds)
}

function addUp(curve: CurveMemory, group: GroupName, parts: readonly Uint8Array[]): SumPoint {
  const [zero, add] = [curve.call(`${group}_zero`), curve.call(`${group}_add`)]
  const sum = openPoint(curve, group)
  zero(sum.at)
  for (const part of parts) {
    const at = curve.alloc(part.length)
    new Uint8Array(curve.view.buffer).set(part, at)
    add(sum.at, at, sum.at)
  }
  return sum
}

function share(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.length)
  new Uint8Array(shared).set(bytes)
  return shared
}

/** Of partial sums and what stands in every proof. */
const ROOM_BYTES = 256 * 1024
/** Beside this file, with its ending: `.ts` from source, `.js` from a build. */
const WORKER_URL = new URL(`./groth16-worker${import.meta.url.slice(-3)}`, import.meta.url)
/** Points and numbers are outside of it. */
const THREAD_SIZES = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 }

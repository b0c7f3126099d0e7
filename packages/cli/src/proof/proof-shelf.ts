/**
 * The service proofs that a node shows (SPEC §17.6): its own, `proofs/EPOCH.proof` of the state folder, and the newest of each neighbour's that it has judged, `proofs/others/PROVIDER.proof`.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chain, ProofsView } from '@byway/chain'
import type { ProofShelf } from '@byway/node'
import { equalBytes, toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { decodeServiceProof, type ServiceProof, type ZkEngine } from '@byway/zk'
import { checkCommitment, checkRoots, judgeProof } from './judge-proof.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Others' proofs: two and a half megabytes. */
const MAX_OTHERS = 512
/** The chain's answers, and thirteen proofs. */
const JUDGE_TIMEOUT_MS = 60_000

export type ProofShelfDeps = {
  readonly payment: PaymentParameters
  /** Ours, 20 bytes. */
  readonly provider: Uint8Array
  /** The state folder. */
  readonly home: string
  readonly view: Pick<Chain['view'], 'publishedRoot'>
  readonly proofs: Pick<ProofsView, 'commitment' | 'beacon'>
  readonly engine: Pick<ZkEngine, 'verify'>
}

/** Where a node's own proof of an epoch lies. */
export function ownProofPath(home: string, epoch: number): string {
  return join(home, 'proofs', `${epoch}.proof`)
}

/** Writes a proof; nobody reads a half. */
export async function keepProof(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(`${path}.new`, bytes)
  await rename(`${path}.new`, path)
}

/** Creates it; nothing is read before it is asked. */
export function createProofShelf(deps: ProofShelfDeps): ProofShelf {
  const { payment, provider, home, view, proofs, engine } = deps
  const others = join(home, 'proofs', 'others')
  const pathOf = (other: Uint8Array): string => join(others, `${toHex(other)}.proof`)
  return {
    async find(whose, epoch) {
      const path = equalBytes(whose, provider) ? await ownPath(home, epoch) : pathOf(whose)
      const found = path === undefined ? undefined : await readProof(path)
      return found && (epoch === 0 || found.proof.epoch === epoch) ? found.bytes : undefined
    },
    async take(bytes, signal) {
      const proof = decodeServiceProof(bytes)
      if (!proof || equalBytes(proof.provider, provider)) return
      const path = pathOf(proof.provider)
      const kept = await readProof(path)
      if (kept && kept.proof.epoch >= proof.epoch) return
      const limit = AbortSignal.any([signal, AbortSignal.timeout(JUDGE_TIMEOUT_MS)])
      // A commitment has a stake behind it: nobody has us verify for nothing.
      await checkCommitment(proof, proofs, limit)
      await checkRoots(proof, view, limit)
      await judgeProof(proof, payment, engine)
      await keepProof(path, bytes)
      await forgetOldest(others)
    },
  }
}

async function ownPath(home: string, epoch: number): Promise<string | undefined> {
  if (epoch !== 0) return ownProofPath(home, epoch)
  const names = await readdir(join(home, 'proofs')).catch(() => [])
  const epochs = names.flatMap((name) => Number(/^(\d+)\.proof$/.exec(name)?.[1] ?? Number.NaN))
  const newest = Math.max(0, ...epochs.filter((each) => !Number.isNaN(each)))
  return newest === 0 ? undefined : ownProofPath(home, newest)
}

/** Undefined when there is none that can be read. */
export async function readProof(
  path: string,
): Promise<{ readonly proof: ServiceProof; readonly bytes: Uint8Array } | undefined> {
  try {
    const bytes = await readFile(path)
    const proof = decodeServiceProof(bytes)
    return proof && { proof, bytes }
  } catch {
    return undefined
  }
}

/** By epoch: what nobody can challenge any more goes first. */
async function forgetOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.proof'))
  if (names.length <= MAX_OTHERS) return
  const dated = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name)
      return { path, epoch: (await readProof(path))?.proof.epoch ?? 0 }
    }),
  )
  const [oldest] = dated.toSorted((a, b) => a.epoch - b.epoch)
  if (oldest) await rm(oldest.path, { force: true })
}

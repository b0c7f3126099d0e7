/** Slot proofs made and judged beside a program's other work: no network, so a world of its own. */
import { createLeafTree, nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import { createPool, depositLeaf, identityCommitment, proofPath } from '@byway/protocol/ticket'
import { createZkEngine, slotInput } from '@byway/zk'
import type { Proved, ZkEngine } from '@byway/zk'
import type { BenchContext } from '../lib/fleet.ts'
import { watchLoop } from '../lib/loop-delay.ts'
import { childrenOf, readCpuMs, readMemory } from '../lib/process-stats.ts'
import { worldOf } from './section.ts'
import { measureClientLoop } from './zk-client.ts'
import type { WorldSection } from './section.ts'

const ROUNDS = { quick: 5, full: 12 } as const
const LEAVES = 1000
const OWN_LEAF = 700
const LIMIT = 1000
const CLIENT_LEAVES = 20_000
const SECRET = 0x5ec2e7n
export const ZK_SYSTEM = 'byway-zk'
export const ZK_METRICS = {
  proof: 'proof, median',
  verification: 'verification, median',
  delayProving: 'loop delay while proving, p99',
  delayVerifying: 'loop delay while verifying, p99',
  delayReading: "a client's loop while it reads 20 000 leaves, p99",
  delayStocking: "a client's loop while it lays in sixteen openings, p99",
} as const

/** Creates the section. */
export function createZk(): WorldSection {
  return {
    name: 'zk',
    title: `One slot proof of a deposit among ${LEAVES}, made and judged by a process of one thread each; how late this program's event loop was meanwhile; and how late a client's is that reads ${CLIENT_LEAVES} leaves and lays in its stock`,
    missing: () => undefined,
    open: (context) => worldOf(() => measure(context)),
  }
}

async function measure({ recorder, log, isQuick }: BenchContext): Promise<void> {
  const rounds = ROUNDS[isQuick ? 'quick' : 'full']
  const add = (metric: string, unit: string, value: number): void => {
    recorder.add({ section: 'zk', metric, system: ZK_SYSTEM, unit, value })
    log(`  ${metric}: ${value.toFixed(1)} ${unit}`)
  }
  using engine = createZkEngine()
  const input = slotInput(witness())
  const others = new Set(childrenOf(process.pid))
  const coldMs = await timeOf(() => engine.prove('slot', input))
  add('first proof, with the start of its process', 'ms', coldMs)
  const prover = childrenOf(process.pid).find((pid) => !others.has(pid)) ?? 0
  const coldCpuMs = readCpuMs(prover)
  add('CPU of that', 'ms', coldCpuMs)
  const proving = await whileWatched(rounds, () => engine.prove('slot', input))
  add('CPU of a proof, mean', 'ms', (readCpuMs(prover) - coldCpuMs) / rounds)
  add('memory of the process that proves', 'MB', readMemory(prover).residentBytes / 1e6)
  add(ZK_METRICS.proof, 'ms', proving.medianMs)
  add(ZK_METRICS.delayProving, 'ms', proving.p99Ms)
  const made = await engine.prove('slot', input)
  const verify = (): Promise<boolean> => verified(engine, made)
  add('first verification, with the start of its process', 'ms', await timeOf(verify))
  const judging = await whileWatched(10 * rounds, verify)
  add(ZK_METRICS.verification, 'ms', judging.medianMs)
  add(ZK_METRICS.delayVerifying, 'ms', judging.p99Ms)
  const client = await measureClientLoop(CLIENT_LEAVES)
  add(ZK_METRICS.delayReading, 'ms', client.readingP99Ms)
  add(ZK_METRICS.delayStocking, 'ms', client.provingP99Ms)
  add("a client's loop meanwhile, longest", 'ms', client.longestMs)
}

async function verified(engine: ZkEngine, { signals, proof }: Proved): Promise<boolean> {
  const holds = await engine.verify('slot', signals, proof)
  if (!holds) throw new Error('an honest proof was refused')
  return holds
}

/** Median time of one after another, and the loop's delay meanwhile. */
async function whileWatched(
  rounds: number,
  work: () => Promise<unknown>,
): Promise<{ medianMs: number; p99Ms: number }> {
  const loop = watchLoop()
  const times: number[] = []
  for (let round = 0; round < rounds; round++) times.push(await timeOf(work))
  const { p99Ms } = loop.stop()
  const medianMs = times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0
  return { medianMs, p99Ms }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

function witness() {
  const pool = createPool(crypto, {
    chainId: 31_337,
    pool: new Uint8Array(20).fill(7),
    faceValue: 10n ** 17n,
    winsPerSlot: 2,
    bond: 10n ** 17n / 2n,
    unit: 10n ** 17n / 2n,
  })
  const leaves = Array.from({ length: LEAVES }, (_, i) => BigInt(i + 1))
  leaves[OWN_LEAF] = depositLeaf(crypto, pool, identityCommitment(crypto, SECRET), LIMIT)
  const path = createLeafTree(leaves).pathOf(OWN_LEAF)
  if (!path) throw new Error('the leaf is there')
  const profile = { tag: pool.tag, unitsPerSlot: BigInt(pool.unitsPerSlot), domain: pool.domain }
  return { ...profile, secret: SECRET, limit: LIMIT, j: 7, x: 777n, path: proofPath(path) }
}

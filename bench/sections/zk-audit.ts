/** A service proof of a week with a hundred thousand receipts, made on all cores: the tree, the proof, its verification, and the memory all of it takes. */
import { createHash } from 'node:crypto'
import {
  AUDIT_DEPTH,
  type AuditTree,
  assertMade,
  auditInput,
  buildAuditTreeInThreads,
  createZkEngine,
  proveAudit,
  type Receipt,
  sampledUnits,
  signReceipt,
} from '@byway/zk'
import type { BenchContext } from '../lib/fleet.ts'
import { watchLoop } from '../lib/loop-delay.ts'
import { childrenOf, readMemory } from '../lib/process-stats.ts'
import { worldOf } from './section.ts'
import type { WorldSection } from './section.ts'

const RECEIPTS = 100_000
const PROVIDER = 0xb1aan
const EPOCH = 2969n
const BEACON = 0xbeac0n
/** What a slot of the start values pays for at the lowest price. */
const MAX_UNITS = 8192n
const LOOK_MS = 100

export const ZK_AUDIT_SYSTEM = 'byway-zk-audit'
export const ZK_AUDIT_METRICS = {
  proof: 'proof, with its witness',
  memory: 'greatest memory of all processes',
  delay: 'loop delay while hashing and proving, p99',
} as const

/** Creates the section. */
export function createZkAudit(): WorldSection {
  return {
    name: 'zk-audit',
    title: `A service proof over ${RECEIPTS} receipts of a week on all cores; signatures only where the beacon draws, which is all that a proof looks at`,
    missing: () => undefined,
    open: (context) => worldOf(() => measure(context)),
  }
}

async function measure({ recorder, log }: BenchContext): Promise<void> {
  const add = (metric: string, unit: string, value: number): void => {
    recorder.add({ section: 'zk-audit', metric, system: ZK_AUDIT_SYSTEM, unit, value })
    log(`  ${metric}: ${value.toFixed(1)} ${unit}`)
  }
  await assertMade('service-audit')
  const receipts = weekOfReceipts()
  using memory = watchMemory()
  const loop = watchLoop()
  const hashing = await timed(() => buildAuditTreeInThreads(receipts, AUDIT_DEPTH))
  const proving = await timed(() => proveAudit(auditInput(hashing.made, statementOf(hashing.made))))
  const { p99Ms, longestMs } = loop.stop()
  const peakBytes = memory.peakBytes()
  using engine = createZkEngine({ readyToVerify: 'service-audit' })
  const { signals, proof } = proving.made
  const verify = (): Promise<boolean> => engine.verify('service-audit', signals, proof)
  if (!(await verify())) throw new Error('an honest proof was refused')
  const verification = await timed(verify)
  add('tree', 's', hashing.seconds)
  add(ZK_AUDIT_METRICS.proof, 's', proving.seconds)
  add('verification', 'ms', 1000 * verification.seconds)
  add(ZK_AUDIT_METRICS.memory, 'MB', peakBytes / 1e6)
  add(ZK_AUDIT_METRICS.delay, 'ms', p99Ms)
  add('loop delay while hashing and proving, longest', 'ms', longestMs)
}

/** Receipts of as many slots. What is drawn follows from the total alone, so that it is known which of them must be signed. */
function weekOfReceipts(): readonly Receipt[] {
  const unsigned = Array.from({ length: RECEIPTS }, (_, i): Receipt => {
    const nullifier = numberFor(`nullifier ${i}`)
    const units = 1n + (nullifier % MAX_UNITS)
    const signature = { r8: [0n, 1n] as const, s: 0n }
    const publicKey = [numberFor(`x ${i}`), numberFor(`y ${i}`)] as const
    return { provider: PROVIDER, epoch: EPOCH, nullifier, units, publicKey, signature }
  })
  const low = ({ nullifier }: Receipt): bigint => nullifier & ((1n << 64n) - 1n)
  const sorted = unsigned.toSorted((a, b) => (low(a) < low(b) ? -1 : 1))
  let end = 0n
  const ends = sorted.map(({ units }) => (end += units))
  for (const unit of sampledUnits(BEACON, end)) {
    const place = ends.findIndex((each) => unit < each)
    const receipt = sorted[place]
    const secret = createHash('sha256').update(`secret ${place}`).digest()
    if (receipt) sorted[place] = signReceipt(secret, receipt)
  }
  return sorted
}

function statementOf({ root, total }: AuditTree) {
  return {
    provider: PROVIDER,
    epoch: EPOCH,
    root,
    total,
    maxUnits: MAX_UNITS,
    beacon: BEACON,
  }
}

function numberFor(text: string): bigint {
  return BigInt(`0x${createHash('sha256').update(text).digest('hex')}`) >> 8n
}

async function timed<Made>(work: () => Promise<Made>): Promise<{ made: Made; seconds: number }> {
  const startedMs = performance.now()
  const made = await work()
  return { made, seconds: (performance.now() - startedMs) / 1000 }
}

/** The greatest sum of resident memory of this process and its children. */
function watchMemory(): Disposable & { peakBytes(): number } {
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, [process.pid, ...childrenOf(process.pid)].reduce(addResident, 0))
  }, LOOK_MS)
  return { peakBytes: () => peak, [Symbol.dispose]: () => clearInterval(timer) }
}

function addResident(sum: number, pid: number): number {
  try {
    return sum + readMemory(pid).residentBytes
  } catch {
    // It has ended.
    return sum
  }
}

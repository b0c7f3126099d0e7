/** One bulk transfer through a system: checked for content first, then timed, with the CPU of every process of the path. */
import { bodySha256 } from './body.ts'
import type { BenchContext } from './fleet.ts'
import { cpuBetween, sampleCpu } from './process-stats.ts'
import type { Role, SystemUnderTest } from './system.ts'

/** The shape of a transfer. */
export type TransferShape = {
  readonly title: string
  readonly streams: number
  /** Whether each stream asks for a circuit of its own, by its own SOCKS user. */
  readonly circuits: 'one' | 'own'
}

/** What one timed transfer gave. A megabyte is 10^6 bytes. */
export type TransferMeasure = {
  readonly megabytesPerSecond: number
  readonly cpuMsPerMegabyte: ReadonlyMap<Role | 'path' | 'ends', number>
}

/** How long a timed transfer should last: long enough for CPU ticks of 10 ms to be small. */
const TARGET_MS = { quick: 1_000, full: 2_000 } as const
/** One tick of 10 ms is 0.6 or 0.15 ms/MB of these. */
const SMALLEST_BYTES = { quick: 16e6, full: 64e6 } as const
const LARGEST_BYTES = 4e9
/** The checked transfer, in all streams together; it also warms circuits and tells the speed. */
const CHECKED_BYTES = 24e6

/** Downloads and compares hashes, untimed; returns how many bytes a timed transfer should have. @throws Error on a wrong hash. */
export async function checkTransfer(
  context: BenchContext,
  system: SystemUnderTest,
  shape: TransferShape,
): Promise<number> {
  const bytesEach = Math.round(CHECKED_BYTES / shape.streams) + 13
  const { streams, wallMs } = await context.downloader.run({
    ...jobOf(context, system, shape),
    bytesEach,
    isHashed: true,
  })
  const expected = bodySha256(bytesEach)
  for (const { sha256 } of streams) {
    if (sha256 !== expected) throw new Error('a download has the wrong hash')
  }
  const size = context.isQuick ? 'quick' : 'full'
  const wanted = (bytesEach * shape.streams * TARGET_MS[size]) / wallMs
  return Math.min(LARGEST_BYTES, Math.max(SMALLEST_BYTES[size], wanted))
}

/** Times one transfer of `totalBytes` over warm circuits. */
export async function timeTransfer(
  context: BenchContext,
  system: SystemUnderTest,
  shape: TransferShape,
  totalBytes: number,
): Promise<TransferMeasure> {
  const job = jobOf(context, system, shape)
  const bytesEach = Math.round(totalBytes / shape.streams)
  const megabytes = (bytesEach * shape.streams) / 1e6
  await context.downloader.run({ ...job, bytesEach: 1_000, isHashed: false })

  const ends = [context.origin.pid, context.downloader.pid]
  const watched = [...(await system.processes()).map(({ pid }) => pid), ...ends]
  const before = sampleCpu(watched)
  const { wallMs } = await context.downloader.run({ ...job, bytesEach, isHashed: false })
  const after = sampleCpu(watched)

  const cpu = new Map<Role | 'path' | 'ends', number>()
  const charge = (role: Role | 'path' | 'ends', pid: number): void => {
    cpu.set(role, (cpu.get(role) ?? 0) + cpuBetween(before, after, pid) / megabytes)
  }
  for (const { role, pid } of await system.processes()) {
    charge(role, pid)
    if (role !== 'idle') charge('path', pid)
  }
  for (const pid of ends) charge('ends', pid)
  return { megabytesPerSecond: (megabytes * 1000) / wallMs, cpuMsPerMegabyte: cpu }
}

function jobOf(context: BenchContext, system: SystemUnderTest, shape: TransferShape) {
  const count = shape.circuits === 'own' ? shape.streams : 1
  return {
    route: system.route(),
    originPort: context.origin.port,
    streams: shape.streams,
    repeat: 1,
    isolations: Array.from({ length: count }, (_, index) => `bench${index}`),
  }
}

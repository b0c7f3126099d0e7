/**
 * CPU time and memory of other processes, as Linux reports them under /proc. All threads of a process count;
 * its children do not, so that each process is listed by the system under test.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Memory of one process, in bytes. */
export type Memory = {
  readonly residentBytes: number
  /** Resident, with pages shared by n processes counted as 1/n. 0 when the kernel does not say. */
  readonly proportionalBytes: number
}

/** Kernel ticks per second, in which /proc counts CPU time; nearly always 100. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/**
 * Reads the CPU time (user and system, all threads, ended ones too) that a process has used, in milliseconds.
 * The kernel rounds to one tick (10 ms): measure transfers that cost a relay several hundred milliseconds.
 */
export function readCpuMs(pid: number): number {
  const [user = 0, system = 0] = readCpuFields(pid)
  return user + system
}

/**
 * CPU milliseconds of these processes and of all children of theirs that have ended. Read of a whole program's processes before and after, the difference is
 * what it used, whichever of its processes began or ended meanwhile.
 */
export function readFamilyCpuMs(pids: Iterable<number>): number {
  let sum = 0
  for (const pid of pids) {
    try {
      sum += readCpuFields(pid).reduce((total, ms) => total + ms, 0)
    } catch {
      // Ended since it was listed: its parent has its time.
    }
  }
  return sum
}

/** CPU milliseconds of the children of a process that were waited for. */
export function readEndedChildrenCpuMs(pid: number): number {
  const [, , user = 0, system = 0] = readCpuFields(pid)
  return user + system
}

/** Milliseconds: user, system, and both of the children that were waited for. */
function readCpuFields(pid: number): readonly number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field, the command, may hold spaces and brackets: count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).map((ticks) => (Number(ticks) * 1000) / TICKS_PER_SECOND)
}

/** Reads the memory of a process. */
export function readMemory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return { residentBytes: kilobytes(status, 'VmRSS'), proportionalBytes: readPss(pid) }
}

/** The processes that a process started and that are still there. */
export function childrenOf(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  const lists = threads.map((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')
    } catch {
      return ''
    }
  })
  return lists.join(' ').split(' ').filter(Boolean).map(Number)
}

/** CPU milliseconds of several processes, by pid; a process that is gone is left out. */
export function sampleCpu(pids: Iterable<number>): Map<number, number> {
  const sample = new Map<number, number>()
  for (const pid of pids) {
    try {
      sample.set(pid, readCpuMs(pid))
    } catch {
      // Gone between two samples: `cpuBetween` refuses to guess what it used.
    }
  }
  return sample
}

/** CPU milliseconds that `pid` used between two samples. @throws Error when it was not alive at both. */
export function cpuBetween(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  pid: number,
): number {
  const [from, to] = [before.get(pid), after.get(pid)]
  if (from === undefined || to === undefined)
    throw new Error(`process ${pid} did not live through the measurement`)
  return to - from
}

function readPss(pid: number): number {
  try {
    return kilobytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'), 'Pss')
  } catch {
    return 0
  }
}

function kilobytes(text: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)
  return Number(match?.[1] ?? 0) * 1024
}

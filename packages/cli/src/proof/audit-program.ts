/**
 * The large files of the audit's program (docs/CEREMONY.md), there when a node first needs them: in a local network, whose set-up is a development one, the node has them made in the
 * background, by the repository's own command, once for the machine however many nodes wait for it. Elsewhere a ceremony's are brought by a person; until then the node says what is missing.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isBywayError } from '@byway/protocol/base'
import { assertMade, onDemandFolder } from '@byway/zk'

const PROGRAM = 'service-audit'
/** Folders in which it is being made. */
const MAKING = 'making-'
/** Anvil's and hardhat's: only there a development set-up serves. */
const LOCAL_CHAIN_ID = 31_337
/** Not there in an installed package, only in a clone. */
const MAKER = fileURLToPath(new URL('../../../../zk-programs/tools/build.ts', import.meta.url))

// Local limit (tunable): docs/LIMITS.md.
/** How often it is looked whether another node has made them. */
const LOOK_MS = 2000

export type AuditProgramDeps = {
  readonly chainId: number
  /** Told of each step of the work, counted from 1. */
  readonly onStep: (step: number) => void
  /** Told when it begins to make them, or to wait for another node that does, and when that is over. */
  readonly onMaking: (isMaking: boolean) => void
  /** The command that makes them, with Node's arguments. @default the repository's */
  readonly maker?: readonly string[] | undefined
}

/** The program's files. */
export interface AuditProgram {
  /** Resolves once they are there; makes them where that is possible. @throws ZK_NOT_MADE, ZK_ARTEFACT, or the signal's reason */
  ensure(signal: AbortSignal): Promise<void>
}

/** Creates it; nothing is looked for before it is asked. */
export function createAuditProgram({
  chainId,
  onStep,
  onMaking,
  maker = [MAKER, '--check', PROGRAM],
}: AuditProgramDeps): AuditProgram {
  return {
    async ensure(signal) {
      if (await isMade()) return
      const [tool = ''] = maker
      if (chainId === LOCAL_CHAIN_ID && existsSync(tool)) {
        onMaking(true)
        try {
          await makeOnce((folder) => make(maker, folder, onStep, signal), signal)
        } catch (error) {
          signal.throwIfAborted()
          // A cache that cannot be written, a maker that does not start: what is missing is said below, and the node goes on.
          if (isBywayError(error)) throw error
        } finally {
          onMaking(false)
        }
      }
      await assertMade(PROGRAM)
    },
  }
}

/** @throws ZK_ARTEFACT */
async function isMade(): Promise<boolean> {
  try {
    await assertMade(PROGRAM)
    return true
  } catch (error) {
    if (!isBywayError(error) || error.code !== 'ZK_NOT_MADE') throw error
    return false
  }
}

/** Works while nobody else on this machine does; who finds it done by another has nothing to do. */
async function makeOnce(
  work: (folder: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const cache = onDemandFolder()
  await mkdir(cache, { recursive: true })
  for (;;) {
    using lock = tryLock(join(cache, `${PROGRAM}.making`))
    if (await isMade()) return
    if (!lock) {
      await sleep(LOOK_MS, undefined, { signal })
      continue
    }
    // Who holds the lock is alone: what others left lying were killed at.
    for (const name of await readdir(cache))
      if (name.startsWith(MAKING)) await rm(join(cache, name), { recursive: true, force: true })
    const folder = await mkdtemp(join(cache, MAKING))
    try {
      return await work(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** A lock that the system opens when its holder dies; undefined while another has it. */
function tryLock(path: string): Disposable | undefined {
  const database = new DatabaseSync(path)
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch {
    database.close()
    return undefined
  }
  return { [Symbol.dispose]: () => database.close() }
}

/** Runs the maker, which gives way to everything else; what it leaves half done lies in the folder. What it could not make is missed by whoever looks. */
async function make(
  command: readonly string[],
  folder: string,
  onStep: (step: number) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const child = spawn(process.execPath, command, {
    cwd: dirname(dirname(dirname(MAKER))),
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: its compiler and its workers end with it.
    detached: true,
  })
  const ended = once(child, 'close')
  const { pid } = child
  const end = (): void => void (pid !== undefined && killGroup(pid))
  signal.addEventListener('abort', end)
  try {
    if (pid !== undefined) giveWay(pid)
    let step = 0
    createInterface({ input: child.stderr }).on('line', () => onStep(++step))
    await ended
  } finally {
    signal.removeEventListener('abort', end)
  }
  signal.throwIfAborted()
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

function giveWay(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // The system does not let us: then it is only less polite.
  }
}

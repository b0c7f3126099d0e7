/** What mutated descriptors leave behind in a process that refuses them. */
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { JunkSettings } from '../byway/junk-process.ts'
import { ask, parseLine } from '../byway/line-protocol.ts'
import { startChild, waitForLine, type Child } from './child.ts'
import { readMemory } from './process-stats.ts'

const TIMEOUT_MS = 300_000
/** Offered in one turn: between two of them memory is read. */
const AT_ONCE = 2000
/** V8 gives memory back some seconds after it has become quiet. */
const SETTLE_MS = 8000

/** Of a process at rest. */
export type Resting = {
  readonly residentBytes: number
  /** Of that, what is held by something: the heap in use and what it keeps outside. */
  readonly heldBytes: number
}

export type JunkFigures = {
  readonly before: Resting
  readonly after: Resting
  /** The most that was resident meanwhile. */
  readonly mostBytes: number
}

/** Offers mutated descriptors to a set of real ones. @param settleMs - before memory is read @throws when one was not refused, or the set is another one afterwards */
export async function measureJunk(
  nodes: number,
  count: number,
  settleMs: number = SETTLE_MS,
): Promise<JunkFigures> {
  const child = await startJunk({ nodes })
  try {
    await requireHeld(child, nodes)
    // Code is compiled and the signature check's tables are made by the first ones.
    await offer(child, 0, AT_ONCE)
    const before = await resting(child, settleMs)
    let mostBytes = 0
    for (let from = AT_ONCE; from < AT_ONCE + count; from += AT_ONCE) {
      await offer(child, from, Math.min(AT_ONCE, AT_ONCE + count - from))
      mostBytes = Math.max(mostBytes, readMemory(child.pid).residentBytes)
    }
    const after = await resting(child, settleMs)
    await requireHeld(child, nodes)
    return { before, after, mostBytes }
  } finally {
    await child.stop()
  }
}

async function startJunk(settings: JunkSettings): Promise<Child> {
  const script = fileURLToPath(new URL('../byway/junk-process.ts', import.meta.url))
  const args = [...process.execArgv, '--expose-gc', script, JSON.stringify(settings)]
  const child = await startChild('junk', process.execPath, args)
  await waitForLine(child, TIMEOUT_MS, (text) =>
    parseLine(text)?.['event'] === 'ready' ? true : undefined,
  )
  return child
}

async function requireHeld(child: Child, nodes: number): Promise<void> {
  const { held } = await ask(child, { do: 'status' }, TIMEOUT_MS)
  if (held !== nodes) throw new Error(`the set holds ${String(held)} of ${nodes} nodes`)
}

async function offer(child: Child, from: number, count: number): Promise<void> {
  const { refused } = await ask(child, { do: 'offer', from, count }, TIMEOUT_MS)
  if (refused !== count) throw new Error(`${String(refused)} of ${count} were refused`)
}

async function resting(child: Child, settleMs: number): Promise<Resting> {
  await ask(child, { do: 'collect' }, TIMEOUT_MS)
  await delay(settleMs)
  const { heldBytes } = await ask(child, { do: 'collect' }, TIMEOUT_MS)
  return { residentBytes: readMemory(child.pid).residentBytes, heldBytes: Number(heldBytes) }
}

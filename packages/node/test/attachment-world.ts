/** The keeper of attachments among made-up relays, with links and a clock that the test moves. */
import { type DirectoryEntry, nodeKeyOf, type PathNode } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { type Attachments, createAttachments } from '../src/attachments.ts'
import { createFakeLink, type FakeLink } from './fake-link.ts'
import { relayNode } from './relay-nodes.ts'

/** What a test sees and moves; relays are named by their place in the list. */
export type World = {
  readonly attachments: Attachments
  /** As listed now; the test may change it. */
  readonly relays: PathNode[]
  /** Relays that refuse dials. */
  readonly down: Set<number>
  readonly dialled: readonly number[]
  /** How many candidates each edition named. */
  readonly editions: readonly number[]
  readonly pending: readonly { readonly entry: DirectoryEntry; readonly signal: AbortSignal }[]
  readonly clock: { nowMs: number }
  readonly settle: () => Promise<void>
  readonly live: () => number[]
  readonly candidates: () => number[]
  readonly hasTimer: () => boolean
  readonly holdDials: () => void
  readonly look: () => Promise<void>
  readonly drop: (number: number) => Promise<void>
  /** Moves the clock, in the steps that the timer asks for. */
  readonly pass: (ms: number) => Promise<void>
}

/** A node without a port, `count` relays of as many /16 (or those given), and a clock that the test moves. `down` refuses dials. Draws take the first. */
export function world(count: number | readonly PathNode[], random: () => number = () => 0): World {
  const relays: PathNode[] =
    typeof count === 'number' ? Array.from({ length: count }, (_, i) => relayNode(i)) : [...count]
  const numberOf = ({ key }: { readonly key: string }): number =>
    relays.findIndex((each) => each.key === key)
  const links = new Map<string, FakeLink>()
  const down = new Set<number>()
  const dialled: number[] = []
  const editions: number[] = []
  const pending: { entry: DirectoryEntry; signal: AbortSignal }[] = []
  let holdsDials = false
  let timer: { atMs: number; run: () => void } | undefined
  const clock = { nowMs: 0 }
  const standUp = ({ key, descriptor }: DirectoryEntry): Link => {
    const link = createFakeLink({ role: 'node', nodeId: descriptor.nodeId })
    links.set(key, link)
    return link
  }
  const attachments = createAttachments({
    relays: () => relays,
    random,
    linkOf: (nodeId) => links.get(nodeKeyOf(nodeId)),
    dial: async (entry, signal) => {
      dialled.push(numberOf(entry))
      if (holdsDials) {
        pending.push({ entry, signal })
        return await new Promise<never>((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        )
      }
      if (down.has(numberOf(entry))) throw new Error('refused')
      return standUp(entry)
    },
    onCandidates: (ids) => void editions.push(ids.length),
    nowMs: () => clock.nowMs,
    setTimer: (run, delayMs) => {
      const mine = { atMs: clock.nowMs + delayMs, run }
      timer = mine
      return {
        cancel: () => {
          if (timer === mine) timer = undefined
        },
      }
    },
  })
  /** Lets all promises settle: no dial here takes a turn of the event loop. */
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
  const look = async (): Promise<void> => {
    attachments.maintain()
    await settle()
  }
  return {
    attachments,
    relays,
    down,
    dialled,
    editions,
    pending,
    clock,
    settle,
    live: () => attachments.candidates.filter(({ key }) => links.has(key)).map(numberOf),
    candidates: () => attachments.candidates.map(numberOf),
    hasTimer: () => timer !== undefined,
    holdDials: () => void (holdsDials = true),
    look,
    drop: async (number: number): Promise<void> => {
      links.delete(relays[number]?.key ?? '')
      await look()
    },
    pass: async (ms: number): Promise<void> => {
      const endMs = clock.nowMs + ms
      while (timer && timer.atMs <= endMs) {
        const { atMs, run } = timer
        timer = undefined
        clock.nowMs = atMs
        run()
        await settle()
      }
      clock.nowMs = endMs
    },
  }
}

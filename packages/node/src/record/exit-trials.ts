/**
 * Which addresses of exits this node has reached by links of its own (SPEC §10.6): an exit record has what was tried, and not what somebody says of himself.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import {
  exitAddressesOf,
  exitNameOf,
  type DirectoryEntry,
  type NodeKey,
  type UnitRandom,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { SocketAddressBytes } from '@byway/protocol/wire'

/** A node under an address. */
export type ExitTarget = {
  readonly entry: DirectoryEntry
  readonly address: SocketAddressBytes
  readonly name: Uint8Array
}

export type ExitTrialsDeps = {
  /** Dials the node at this address, and hangs up; true when it has proved who it is. Never rejects. */
  readonly knock: (nodeId: Uint8Array, address: SocketAddressBytes) => Promise<boolean>
  /** Seconds of a page: an address is tried again twice in that time. */
  readonly pageS: number
  readonly random: UnitRandom
  readonly onReached: (target: ExitTarget) => void
  /** It was not reached several times in a row. */
  readonly onLost: (target: ExitTarget) => void
}

export interface ExitTrials {
  /** Takes the newest edition of a node: what it does not name any more is tried no more. */
  name(entry: DirectoryEntry, nowS: number): void
  /** True for an address at which the node was reached when it was tried last. */
  isReached(key: NodeKey, name: Uint8Array): boolean
  /** Tries all that is due. Never rejects. */
  run(nowS: number): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Each is a handshake, or ten seconds of silence. */
const MAX_TRIALS = 8
/** Of a page: between trials of what is not reached, and the time over which those who hear of an exit together spread their first ones. Ten minutes of a day. */
const RETRIAL_PART = 1 / 144
/** Of a page, between trials of what is reached. The longest wait of what never was, too: each failure doubles it, so that nobody is made to knock at a stranger's door for long. */
const TRIAL_PART = 1 / 2
/** The pages of a local network are so short that its nodes would do little else. */
const LEAST_TRIAL_S = 60
/** An hour of silence is no restart. */
const LOST_AFTER = 6

type Kept = ExitTarget & {
  readonly isReached: boolean
  readonly failures: number
  readonly dueS: number
}

/** Creates it; nothing is tried before `run`. */
export function createExitTrials(deps: ExitTrialsDeps): ExitTrials {
  const { knock, pageS, random } = deps
  const byNode = new Map<NodeKey, Map<string, Kept>>()
  let running: Promise<void> | undefined

  /** The target as it is named now, which may have gone or moved while it was tried. */
  function kept({ entry, name }: ExitTarget): Kept | undefined {
    return byNode.get(entry.key)?.get(toHex(name))
  }

  function keep(target: Kept): void {
    byNode.get(target.entry.key)?.set(toHex(target.name), target)
  }

  async function tryOne(asked: Kept, nowS: number): Promise<void> {
    const isReached = await knock(asked.entry.descriptor.nodeId, asked.address)
    const now = kept(asked)
    if (!now) return
    const failures = isReached ? 0 : now.failures + 1
    const isLost = failures >= LOST_AFTER
    const waits = waitS(pageS, isReached, now.isReached ? 1 : failures)
    keep({
      ...now,
      failures,
      isReached: isReached || (now.isReached && !isLost),
      dueS: nowS + waits,
    })
    if (isReached) deps.onReached(now)
    else if (failures === LOST_AFTER) deps.onLost(now)
  }

  async function tryAll(nowS: number): Promise<void> {
    const due = [...byNode.values()]
      .flatMap((targets) => [...targets.values()])
      .filter(({ dueS }) => dueS <= nowS)
    const workers = Array.from({ length: MAX_TRIALS }, async () => {
      for (let next = due.pop(); next; next = due.pop()) await tryOne(next, nowS)
    })
    await Promise.all(workers)
    running = undefined
  }

  return {
    name(entry, nowS) {
      const before = byNode.get(entry.key)
      const targets = addressesOf(entry).map((target): [string, Kept] => {
        const name = toHex(target.name)
        const old = before?.get(name)
        const fresh = {
          isReached: false,
          failures: 0,
          dueS: nowS + random() * pageS * RETRIAL_PART,
        }
        return [name, { ...(old ?? fresh), ...target }]
      })
      if (targets.length > 0) byNode.set(entry.key, new Map(targets))
      else byNode.delete(entry.key)
    },
    isReached: (key, name) => byNode.get(key)?.get(toHex(name))?.isReached === true,
    async run(nowS) {
      for (const [key, targets] of byNode) {
        const [any] = targets.values()
        if (any && any.entry.descriptor.expiresS <= nowS) byNode.delete(key)
      }
      await (running ??= tryAll(nowS))
    },
  }
}

function waitS(pageS: number, isReached: boolean, failures: number): number {
  const longest = Math.max(LEAST_TRIAL_S, pageS * TRIAL_PART)
  return isReached ? longest : Math.min(longest, pageS * RETRIAL_PART * 2 ** (failures - 1))
}

function addressesOf(entry: DirectoryEntry): readonly ExitTarget[] {
  const { descriptor } = entry
  return exitAddressesOf(descriptor).flatMap((ip) => {
    const address = descriptor.addresses.find((each) => each.family === ip.family)
    return address ? [{ entry, address, name: exitNameOf(nodeCrypto, address) }] : []
  })
}

/**
 * Watches what all queues of the node hold together (THREAT-MODEL T14): the circuits' and the links' here, the tunnels' buffers and the exit's cache through the same
 * accountant. Over the limit whoever has the oldest waiting byte dies first, until there is room again.
 * @module
 */
import { totalmem } from 'node:os'
import { createAccountant } from '@byway/protocol/circuit'
import type { Account, Accountant } from '@byway/protocol/circuit'
import type { Link } from '@byway/protocol/link'
import type { RelayCircuit } from './relay/relay-circuit.ts'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { MemoryOwner } from './exit/exit-service.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Of the machine's memory, and never more than half a gigabyte. */
const MAX_SHARE = 0.25
const MAX_BYTES = 512 * 1024 * 1024
/** At 1 Gbit/s queues grow by 30 MB in this time. */
const CHECK_MS = 250

/** The guard of one node. */
export interface MemoryGuard {
  readonly accountant: Accountant<MemoryOwner>
  /** Looks once: counts what circuits and links hold and ends those that must go. @param nowMs - on the clock of the queues */
  check(nowMs?: number): void
  start(): void
  stop(): void
}

export type MemoryGuardDeps = {
  readonly circuits: () => Iterable<RelayCircuit>
  readonly links: () => Iterable<Link>
}

/** What a link holds itself, and since when nothing of it left. */
type LinkAccount = { readonly account: Account; leftBytes: number; sinceMs: number }

/** Creates a guard. @param limitBytes - for all queues together @default 25 % of the machine's memory, 512 MiB at most */
export function createMemoryGuard(
  deps: MemoryGuardDeps,
  limitBytes: number = Math.min(totalmem() * MAX_SHARE, MAX_BYTES),
): MemoryGuard {
  const accountant = createAccountant<MemoryOwner>(limitBytes)
  const accounts = new Map<RelayCircuit, Account>()
  const linkAccounts = new Map<Link, LinkAccount>()
  let timer: NodeJS.Timeout | undefined

  function forgetClosed(): void {
    for (const circuit of accounts.keys()) if (circuit.isClosed) forget(circuit)
    for (const [link, { account }] of linkAccounts) {
      if (!link.isClosed) continue
      account.close()
      linkAccounts.delete(link)
    }
  }

  function count(nowMs: number): void {
    forgetClosed()
    for (const link of deps.links()) if (!link.isClosed) countLink(link, nowMs)
    for (const circuit of deps.circuits()) {
      const held = heldBytes(circuit)
      if (held === 0 && !accounts.has(circuit)) continue
      accountOf(circuit).set(held)
    }
  }

  /** A link that moves is as old as its last look; one that stands still grows older. */
  function countLink(link: Link, nowMs: number): void {
    const { ownBytes, leftBytes } = link
    if (ownBytes === 0 && !linkAccounts.has(link)) return
    const known = linkAccounts.get(link) ?? openLink(link, nowMs)
    if (ownBytes === 0 || leftBytes !== known.leftBytes) known.sinceMs = nowMs
    known.leftBytes = leftBytes
    known.account.set(ownBytes)
  }

  function openLink(link: Link, nowMs: number): LinkAccount {
    const owner = { giveUp: (): void => link.close('limit') }
    const account = accountant.open(owner, () => opened.sinceMs)
    const opened: LinkAccount = { account, leftBytes: link.leftBytes, sinceMs: nowMs }
    linkAccounts.set(link, opened)
    return opened
  }

  function accountOf(circuit: RelayCircuit): Account {
    const known = accounts.get(circuit)
    if (known) return known
    const owner = { giveUp: (): void => circuit.close(CLOSE_REASON.RESOURCE_LIMIT) }
    const account = accountant.open(owner, () => oldestAtMs(circuit))
    accounts.set(circuit, account)
    return account
  }

  function forget(circuit: RelayCircuit): void {
    accounts.get(circuit)?.close()
    accounts.delete(circuit)
  }

  function check(nowMs: number = performance.now()): void {
    count(nowMs)
    for (const victim of accountant.chooseVictims()) victim.giveUp()
    // What they held is free now: whoever asks the accountant next must not kill for it again.
    forgetClosed()
  }

  return {
    accountant,
    check,
    start() {
      timer ??= setInterval(() => check(), CHECK_MS).unref()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

function heldBytes({ previous, next, unpaidBytes }: RelayCircuit): number {
  return previous.queue.bytes + (next?.queue.bytes ?? 0) + unpaidBytes
}

function oldestAtMs({ previous, next, unpaidSinceMs }: RelayCircuit): number {
  const ages = [previous.queue.oldestAtMs, next?.queue.oldestAtMs, unpaidSinceMs]
  return Math.min(...ages.map((atMs) => atMs ?? Number.POSITIVE_INFINITY))
}

/**
 * One memory accountant for all queues and caches of a process (THREAT-MODEL T14): who holds how many bytes, and who must die when
 * all together hold too many. Caches are cut first. Decides only; the driver kills. The limit is the driver's: min(25 % of RAM, 512 MiB).
 * @module
 */

/** A queue's account. Bytes of sockets (`writableLength`) count, the kernel's do not. */
export interface Account {
  readonly heldBytes: number
  /** Changes what the queue holds. */
  add(deltaBytes: number): void
  /** Sets what the queue holds. */
  set(heldBytes: number): void
  /** Ends the account; its bytes are given back. */
  close(): void
}

/** What can be made anew: it gives bytes back before anybody dies for them. */
export interface TrimmableCache {
  /** Forgets what it has had longest until it holds no more than this. */
  trimTo(bytes: number): void
}

/** The accountant. `Owner` is what the driver can kill: a circuit, an orphaned tunnel, or a link. */
export interface Accountant<Owner> {
  readonly limitBytes: number
  readonly heldBytes: number
  /** True from three quarters of the limit on: the driver reports it and takes no new circuits. */
  readonly underPressure: boolean
  /** True above the limit. */
  readonly isOver: boolean
  /** Opens an account; `oldestAtMs` says when its oldest queued byte came, Infinity for an empty queue. */
  open(owner: Owner, oldestAtMs: () => number): Account
  /** Opens the account of a cache. */
  openCache(cache: TrimmableCache): Account
  /**
   * When over the limit: has each cache cut to a tenth of what it holds, then says whom to kill, oldest queued byte first, until less
   * than 90 % is held. Else nobody.
   */
  chooseVictims(): readonly Owner[]
}

/** Creates an accountant for `limitBytes` in all. */
export function createAccountant<Owner>(limitBytes: number): Accountant<Owner> {
  return new Ledger<Owner>(limitBytes)
}

type Entry<Owner> = {
  readonly owner: Owner
  readonly oldestAtMs: () => number
  heldBytes: number
}

class Ledger<Owner> implements Accountant<Owner> {
  readonly limitBytes: number
  heldBytes = 0
  readonly #entries = new Set<Entry<Owner>>()
  readonly #caches = new Map<TrimmableCache, Account>()

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get underPressure(): boolean {
    return this.heldBytes > this.limitBytes * PRESSURE_PART
  }

  get isOver(): boolean {
    return this.heldBytes > this.limitBytes
  }

  open(owner: Owner, oldestAtMs: () => number): Account {
    const entry: Entry<Owner> = { owner, oldestAtMs, heldBytes: 0 }
    this.#entries.add(entry)
    return this.#accountOf(entry, () => void this.#entries.delete(entry))
  }

  openCache(cache: TrimmableCache): Account {
    const account = this.#accountOf({ heldBytes: 0 }, () => void this.#caches.delete(cache))
    this.#caches.set(cache, account)
    return account
  }

  chooseVictims(): readonly Owner[] {
    if (!this.isOver) return []
    for (const [cache, { heldBytes }] of this.#caches) cache.trimTo(heldBytes * KEPT_CACHE_PART)
    if (!this.isOver) return []
    const owners = [...this.#byOwner()].toSorted((a, b) => a[1].oldestAtMs - b[1].oldestAtMs)
    const victims: Owner[] = []
    let left = this.heldBytes
    for (const [owner, { heldBytes }] of owners) {
      if (left < this.limitBytes * LOW_WATER_PART) break
      if (heldBytes === 0) continue
      victims.push(owner)
      left -= heldBytes
    }
    return victims
  }

  #accountOf(holder: { heldBytes: number }, onClosed: () => void): Account {
    let isOpen = true
    const change = (deltaBytes: number): void => {
      if (!isOpen) return
      holder.heldBytes += deltaBytes
      this.heldBytes += deltaBytes
    }
    return {
      get heldBytes(): number {
        return holder.heldBytes
      },
      add: change,
      set: (heldBytes) => change(heldBytes - holder.heldBytes),
      close: () => {
        change(-holder.heldBytes)
        isOpen = false
        onClosed()
      },
    }
  }

  /** An owner dies with all its queues, so that they are judged together. */
  #byOwner(): Map<Owner, { heldBytes: number; oldestAtMs: number }> {
    const sums = new Map<Owner, { heldBytes: number; oldestAtMs: number }>()
    for (const entry of this.#entries) {
      const sum = sums.get(entry.owner) ?? { heldBytes: 0, oldestAtMs: Number.POSITIVE_INFINITY }
      sum.heldBytes += entry.heldBytes
      sum.oldestAtMs = Math.min(sum.oldestAtMs, entry.oldestAtMs())
      sums.set(entry.owner, sum)
    }
    return sums
  }
}

// Local limits (tunable).
const PRESSURE_PART = 0.75
const LOW_WATER_PART = 0.9
const KEPT_CACHE_PART = 0.1

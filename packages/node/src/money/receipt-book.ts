/**
 * The receipts that clients sign (SPEC §17.1): the last of each slot is kept, once its signature was found good off the event loop. Whoever signs nothing is served all the same:
 * nothing here tells anybody but the provider's own service proof.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import { createReceiptLimit, epochOf } from '@byway/protocol/payment'
import type { ReceiptCrypto, ReceiptLimit } from '@byway/protocol/payment'
import { PAY } from '@byway/protocol/wire'
import type { HeldMessage, Opening, ReceiptMessage } from '@byway/protocol/wire'
import type { ReceiptRecords } from '@byway/store'

/** What became of a receipt. */
export type ReceiptVerdict =
  /** It is on disk. */
  | 'kept'
  /** Old, too much, of another slot or epoch, or there is no time for it. */
  | 'dropped'
  /** Its signature is not the slot's: no more is taken from there. */
  | 'forged'

/** The receipts of a node. Nothing rejects. */
export interface ReceiptBook {
  /** The slot is shown: what the client signed before, to be told to it. */
  open(opening: Opening): Promise<HeldMessage | undefined>
  /** A good ticket over so many units. */
  paid(opening: Opening, units: number): void
  take(opening: Opening, receipt: ReceiptMessage): Promise<ReceiptVerdict>
  /** Forgets epochs for which no proof can be made any more. */
  sweep(): Promise<void>
}

export type ReceiptBookDeps = {
  readonly crypto: Pick<ReceiptCrypto, 'isOf'>
  readonly records: Pick<ReceiptRecords, 'put' | 'get' | 'forgetBefore'>
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly epochS: number
  /** The most units of a slot for which a receipt counts. */
  readonly maxUnits: number
  /** Wall clock. */
  readonly nowMs: () => number
  readonly onStoreFailed: () => void
}

// Local limits (tunable): docs/LIMITS.md.
/** Slots whose units are counted: as many as may be on carriers. */
const MAX_COUNTED = 8192
/** Epochs for which receipts are kept: proofs are due in the one after. */
const KEPT_EPOCHS = 6

/** Creates a book that counts nothing yet. */
export function createReceiptBook(deps: ReceiptBookDeps): ReceiptBook {
  return new Book(deps)
}

/** One slot: its limit, and whether a receipt of it is being checked. */
type Count = { readonly limit: ReceiptLimit; isBusy: boolean }

class Book implements ReceiptBook {
  readonly #deps: ReceiptBookDeps
  readonly #counts = new Map<string, Count>()

  constructor(deps: ReceiptBookDeps) {
    this.#deps = deps
  }

  async open({ nullifier, receiptKey }: Opening): Promise<HeldMessage | undefined> {
    if (!hasKey(receiptKey)) return undefined
    const epoch = this.#epoch()
    const stored = await this.#stored(nullifier, epoch)
    const known = this.#counts.get(toHex(nullifier))
    if (known?.limit.epoch !== epoch) this.#begin(nullifier, epoch, stored?.units ?? 0)
    if (!stored) return undefined
    const { units, signature } = stored
    return { kind: PAY.HELD, nullifier, epoch, units, signature }
  }

  paid({ nullifier, receiptKey }: Opening, units: number): void {
    if (hasKey(receiptKey)) this.#countOf(nullifier).limit.paid(units)
  }

  async take({ nullifier, receiptKey }: Opening, receipt: ReceiptMessage): Promise<ReceiptVerdict> {
    const count = this.#countOf(nullifier)
    const isThis = toHex(receipt.nullifier) === toHex(nullifier) && hasKey(receiptKey)
    if (!isThis || receipt.epoch !== count.limit.epoch || count.isBusy) return 'dropped'
    if (!count.limit.mayTake(receipt.units)) return 'dropped'
    count.isBusy = true
    try {
      const { provider, crypto, records } = this.#deps
      if (!(await crypto.isOf(receiptKey, { ...receipt, provider }))) return 'forged'
      await records.put(receipt)
      count.limit.took(receipt.units)
      return 'kept'
    } catch {
      // A thread that has too much to do, or a disk whose health says why: the units stay unproven until the next receipt.
      return 'dropped'
    } finally {
      count.isBusy = false
    }
  }

  async sweep(): Promise<void> {
    try {
      await this.#deps.records.forgetBefore(this.#epoch() - KEPT_EPOCHS)
    } catch {
      this.#deps.onStoreFailed()
    }
  }

  #epoch(): number {
    return epochOf(this.#deps.nowMs() / 1000, this.#deps.epochS)
  }

  #countOf(nullifier: Uint8Array): Count {
    const epoch = this.#epoch()
    const known = this.#counts.get(toHex(nullifier))
    return known?.limit.epoch === epoch ? known : this.#begin(nullifier, epoch, 0)
  }

  #begin(nullifier: Uint8Array, epoch: number, heldUnits: number): Count {
    const name = toHex(nullifier)
    this.#counts.delete(name)
    const [oldest] = this.#counts.keys()
    if (this.#counts.size >= MAX_COUNTED && oldest !== undefined) this.#counts.delete(oldest)
    const limit = createReceiptLimit(epoch, heldUnits, this.#deps.maxUnits)
    const count = { limit, isBusy: false }
    this.#counts.set(name, count)
    return count
  }

  async #stored(nullifier: Uint8Array, epoch: number) {
    try {
      return await this.#deps.records.get(nullifier, epoch)
    } catch {
      this.#deps.onStoreFailed()
      return undefined
    }
  }
}

/** An opening of zeros there has no key that could sign. */
function hasKey(receiptKey: Uint8Array): boolean {
  return receiptKey.some((byte) => byte !== 0)
}

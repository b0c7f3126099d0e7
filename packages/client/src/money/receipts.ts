/**
 * Receipts for slots (SPEC §17.1): the client acknowledges what its tickets have paid a hop, with a key that each slot has of its own. They are signed off the event loop; nothing that is
 * paid or served waits for one, and one that cannot be signed is left out.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import { createReceiptCount, epochOf } from '@byway/protocol/payment'
import type { ReceiptCount } from '@byway/protocol/payment'
import { maxSlotUnits } from '@byway/protocol/ticket'
import type { Pool } from '@byway/protocol/ticket'
import { PAY } from '@byway/protocol/wire'
import type { HeldMessage } from '@byway/protocol/wire'
import type { PaySender } from './carrier.ts'
import type { ReceiptKeys } from './receipt-keys.ts'
import type { ShownSlot } from './slot-keeper-types.ts'
import type { Tariff } from './tariff.ts'

export type ReceiptSignerDeps = {
  readonly keys: Pick<ReceiptKeys, 'sign' | 'isOwn'>
  readonly pool: Pool
  readonly epochS: number
  /** Wall clock. */
  readonly nowMs: () => number
}

/** Signs for what slots have paid. Nothing throws or rejects. */
export interface ReceiptSigner {
  /** A ticket over so many units went out. Signs when a step is reached. */
  paid(slot: ShownSlot, tariff: Tariff, units: number, carrier: PaySender): void
  /** So many units of tickets do not count. */
  refused(slot: ShownSlot, units: number): void
  /** It is shown on a new carrier: what the old one did not bring over is signed again. */
  shown(slot: ShownSlot): void
  /** What the hop says it holds: of this life, or of a former. */
  onHeld(slot: ShownSlot, tariff: Tariff, held: HeldMessage): void
  /** Signs for what is left, before the carrier or the slot goes. Resolves when the hop says that it holds it. */
  finish(slot: ShownSlot, tariff: Tariff, carrier: PaySender): Promise<void>
}

/** Creates a signer that counts nothing yet. */
export function createReceiptSigner(deps: ReceiptSignerDeps): ReceiptSigner {
  return new Signer(deps)
}

// Local limit (tunable): docs/LIMITS.md. Slots that are counted; one for each hop in use.
const MAX_COUNTED = 1024

/** One slot: what is counted, and who waits for the hop to hold it. */
type Account = { readonly count: ReceiptCount; waiting: PromiseWithResolvers<void> | undefined }

class Signer implements ReceiptSigner {
  readonly #deps: ReceiptSignerDeps
  readonly #accounts = new Map<string, Account>()

  constructor(deps: ReceiptSignerDeps) {
    this.#deps = deps
  }

  paid(slot: ShownSlot, tariff: Tariff, units: number, carrier: PaySender): void {
    if (!hasKey(slot)) return
    this.#accountOf(slot, tariff).count.paid(this.#epoch(), units)
    void this.#sign(slot, tariff, carrier, false)
  }

  refused(slot: ShownSlot, units: number): void {
    this.#accounts.get(toHex(slot.nullifier))?.count.refused(units)
  }

  shown(slot: ShownSlot): void {
    this.#accounts.get(toHex(slot.nullifier))?.count.startAgain()
  }

  onHeld(slot: ShownSlot, tariff: Tariff, held: HeldMessage): void {
    if (held.epoch !== this.#epoch() || !hasKey(slot)) return
    const account = this.#accountOf(slot, tariff)
    if (account.count.mayHold(held.epoch)) void this.#goOn(slot, tariff, held)
    else account.count.confirmed(held.epoch, held.units)
    if (account.count.isConfirmed) account.waiting?.resolve()
  }

  async finish(slot: ShownSlot, tariff: Tariff, carrier: PaySender): Promise<void> {
    const account = this.#accounts.get(toHex(slot.nullifier))
    if (!account) return
    await this.#sign(slot, tariff, carrier, true)
    if (account.count.isConfirmed) return
    account.waiting ??= Promise.withResolvers()
    await account.waiting.promise
    account.waiting = undefined
  }

  async #goOn(slot: ShownSlot, tariff: Tariff, held: HeldMessage): Promise<void> {
    const { epoch, units, signature } = held
    const body = this.#body(slot, tariff, { epoch, units })
    try {
      const isOwn = await this.#deps.keys.isOwn(body, signature)
      const { count } = this.#accountOf(slot, tariff)
      // A receipt of this life may have gone out meanwhile.
      if (isOwn && count.mayHold(epoch)) count.hold(epoch, units)
    } catch {
      // What was signed before counts as far as it went.
    }
  }

  async #sign(slot: ShownSlot, tariff: Tariff, carrier: PaySender, isLast: boolean): Promise<void> {
    const due = this.#accounts.get(toHex(slot.nullifier))?.count.due(isLast)
    if (!due) return
    const body = this.#body(slot, tariff, due)
    try {
      const { publicKey, signature } = await this.#deps.keys.sign(body)
      const { nullifier } = slot
      carrier.send([{ kind: PAY.RECEIPT, nullifier, ...due, publicKey, signature }])
    } catch {
      // The next step covers it.
    }
  }

  #body({ nullifier }: ShownSlot, { provider }: Tariff, due: { epoch: number; units: number }) {
    return { provider, nullifier, ...due }
  }

  #epoch(): number {
    return epochOf(this.#deps.nowMs() / 1000, this.#deps.epochS)
  }

  #accountOf({ nullifier }: ShownSlot, { unitPrice }: Tariff): Account {
    const name = toHex(nullifier)
    const known = this.#accounts.get(name)
    if (known) return known
    const [oldest] = this.#accounts.keys()
    if (this.#accounts.size >= MAX_COUNTED && oldest !== undefined) this.#accounts.delete(oldest)
    const count = createReceiptCount(maxSlotUnits(this.#deps.pool, unitPrice))
    const account = { count, waiting: undefined }
    this.#accounts.set(name, account)
    return account
  }
}

/** A slot shown before there were receipts has no key for them. */
function hasKey({ opening }: ShownSlot): boolean {
  return opening.receiptKey.some((byte) => byte !== 0)
}

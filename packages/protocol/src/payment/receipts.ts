/**
 * Receipts (SPEC §17.1): when a client signs for what it has paid, and what its hop takes. No signatures here: they are made and checked off the event loop, behind
 * {@link ReceiptCrypto}.
 * @module
 */

/** What a client acknowledges: units that its slot has paid this provider in this epoch. */
export type ReceiptBody = {
  /** 20 bytes. */
  readonly provider: Uint8Array
  /** 32 bytes, a field element. */
  readonly nullifier: Uint8Array
  readonly epoch: number
  readonly units: number
}

/** A receipt as it travels (SPEC §17.1). */
export type SignedReceipt = ReceiptBody & {
  /** `Ax ‖ Ay`, 64 bytes. */
  readonly publicKey: Uint8Array
  /** `R8x ‖ R8y ‖ S`, 96 bytes. */
  readonly signature: Uint8Array
}

/** BabyJubJub, off the event loop: each call takes some milliseconds, the first of a thread a tenth of a second. @throws ZK_STOPPED, ZK_BUSY */
export interface ReceiptCrypto {
  /** What an opening carries of a receipt key (SPEC §13.2), 32 bytes. @param secret - 32 bytes */
  keyOf(secret: Uint8Array): Promise<Uint8Array>
  sign(secret: Uint8Array, body: ReceiptBody): Promise<SignedReceipt>
  /** True for a good signature by the very key that the opening names. */
  isOf(receiptKey: Uint8Array, receipt: SignedReceipt): Promise<boolean>
  /** True when this secret made the signature. */
  isOwn(secret: Uint8Array, body: ReceiptBody, signature: Uint8Array): Promise<boolean>
}

/** The week, or what the network has for one, of a moment; both in seconds since 1970. */
export function epochOf(nowS: number, epochS: number): number {
  return Math.floor(nowS / epochS)
}

/** SPEC §17.1, "at 16, 32, 64, … 512 units, then every 512": the last of these that so many units have reached; 0 below the first. */
export function receiptStep(units: number): number {
  if (units >= STEADY_UNITS) return units - (units % STEADY_UNITS)
  return units < FIRST_UNITS ? 0 : 2 ** Math.floor(Math.log2(units))
}

/** The client's count of one slot. An epoch begins at nothing. */
export interface ReceiptCount {
  /** Takes units of tickets that were sent; `refused` takes them back. */
  paid(epoch: number, units: number): void
  refused(units: number): void
  /** True when a receipt of a former life would be news: it must be found to be our own first. */
  mayHold(epoch: number): boolean
  /** Goes on from a receipt of a former life. */
  hold(epoch: number, units: number): void
  /** What to sign now; undefined for nothing. With `isLast` everything that is not signed. Counts as signed. */
  due(isLast: boolean): { readonly epoch: number; readonly units: number } | undefined
  /** The hop holds what was signed in this life. */
  confirmed(epoch: number, units: number): void
  /** True when the hop holds all that was signed. */
  readonly isConfirmed: boolean
  /** What the hop has not confirmed may never have reached it: it is due again. */
  startAgain(): void
}

/** Creates a count; nothing above `maxUnits` is signed (SPEC §17.1). */
export function createReceiptCount(maxUnits: number): ReceiptCount {
  let epoch = -1
  let [held, paid, signed, sure] = [0, 0, 0, 0]
  let isKnown = false
  const turnTo = (next: number): void => {
    if (next <= epoch) return
    epoch = next
    ;[held, paid, signed, sure] = [0, 0, 0, 0]
    isKnown = false
  }
  return {
    paid(now, units) {
      turnTo(now)
      paid += units
    },
    refused(units) {
      paid = Math.max(0, paid - units)
    },
    mayHold(now) {
      return now > epoch || (now === epoch && !isKnown && signed === 0)
    },
    hold(now, units) {
      turnTo(now)
      isKnown = true
      ;[held, signed, sure] = [units, units, units]
    },
    due(isLast) {
      const units = Math.min(held + paid, maxUnits)
      const isDue = isLast ? units > signed : receiptStep(units) > signed
      if (!isDue) return undefined
      signed = units
      isKnown = true
      return { epoch, units }
    },
    confirmed(now, units) {
      if (now === epoch && units <= signed) sure = Math.max(sure, units)
    },
    get isConfirmed() {
      return sure === signed
    },
    startAgain() {
      signed = sure
    },
  }
}

/** The hop's count of one slot in one epoch. */
export interface ReceiptLimit {
  readonly epoch: number
  /** Of the last receipt that was good. */
  readonly heldUnits: number
  paid(units: number): void
  /** True when a receipt over so many units would be news and no lie: worth checking. */
  mayTake(units: number): boolean
  /** It was good. */
  took(units: number): void
}

/** Creates a limit that goes on from the receipt that is stored, of `heldUnits`. */
export function createReceiptLimit(
  epoch: number,
  heldUnits: number,
  maxUnits: number,
): ReceiptLimit {
  let held = heldUnits
  let counted = heldUnits
  /** What was paid after the stored receipt and before this life is not known: less than a step, with what clocks differ. */
  let slack = STEADY_UNITS
  return {
    epoch,
    get heldUnits() {
      return held
    },
    paid(units) {
      counted += units
    },
    mayTake(units) {
      return units > held && units <= Math.min(counted + slack, maxUnits)
    },
    took(units) {
      held = Math.max(held, units)
      counted = Math.max(counted, units)
      slack = 0
    },
  }
}

// Protocol constants (change needs a spec change): SPEC §17.1.
const FIRST_UNITS = 16
const STEADY_UNITS = 512

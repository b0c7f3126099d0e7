/**
 * Which slots there are and to whom each is shown (SPEC §13.2, §15.2): one slot for one hop and one use, in an order that tells nothing. The journal has
 * a slot before its opening leaves. What proves a slot is the authoriser's, what is paid with it the payers'.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { NodeKey } from '@byway/protocol/directory'
import { createSentTickets } from '@byway/protocol/payment'
import type { SentTickets } from '@byway/protocol/payment'
import type { Opening } from '@byway/protocol/wire'
import { untilAborted } from '../engine/abort.ts'
import { isOver } from '../returns/return-fact.ts'
import { moneyError } from './errors.ts'
import { findNewer } from './old-records.ts'
import type { Slot, SlotRecord, SlotStanding, SlotUse } from './ports.ts'
import type { ShownSlot, SlotCounts, SlotKeeper, SlotKeeperDeps } from './slot-keeper-types.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Unshown slots below which the user is told that the deposit runs low: a new guard and two exits. */
const LOW_SLOTS = 3
/** So many slots stay for hops in use before one is taken for what may only come: a spare guard, or the next slot of a guard. */
const SPARE_SLOTS = 8
/** So many are proved and nobody has asked for them: one to take, and one that stays. */
const SPARE_READY = 2
/** A deposit made meanwhile is looked for at most this often while there is no slot left. */
const REFRESH_MIN_MS = 5000

/** Creates a keeper that knows nothing yet. */
export function createSlotKeeper(deps: SlotKeeperDeps): SlotKeeper {
  return new Keeper(deps)
}

/** A nullifier in hexadecimal digits. */
type SlotKey = string

class Keeper implements SlotKeeper {
  readonly #deps: SlotKeeperDeps
  readonly #slots = new Map<SlotKey, Slot>()
  readonly #records = new Map<SlotKey, SlotRecord>()
  /** By hop and use: the slot in use there, and the one that is to follow it. */
  readonly #inUse = new Map<string, readonly SlotKey[]>()
  readonly #floors = new Map<SlotKey, number>()
  /** Of slots in use: their tickets, over all carriers. */
  readonly #sent = new Map<SlotKey, SentTickets>()
  /** Taken for a hop, not in the journal yet. */
  readonly #reserved = new Set<SlotKey>()
  /** Hops that are being given their slot, so that none is given two. */
  readonly #giving = new Map<string, Promise<SlotRecord>>()
  /** Slots that nobody was shown; undefined after a change. */
  #free: readonly Slot[] | undefined
  /** Of deposits whose past an older copy of the records has lost. */
  readonly #forgotten = new Set<SlotKey>()
  /** Older records were found, and `onOlder` has not worked yet. */
  #older: readonly Uint8Array[] | undefined
  #refreshedAtMs = Number.NEGATIVE_INFINITY
  #wasLow = false
  #unknownTold = 0

  constructor(deps: SlotKeeperDeps) {
    this.#deps = deps
  }

  get counts(): SlotCounts {
    const records = [...this.#records]
    const inUse = records.filter(([, { standing }]) => standing === 'shown').length
    const gone = records.filter(([key]) => !this.#slots.has(key)).length
    const unshown = this.#unshown().length
    return {
      total: this.#slots.size + gone,
      unshown,
      ready: Math.min(unshown, this.#deps.authoriser.prepared),
      unknown: this.unknownSlots.length,
      inUse,
      over: records.length - inUse,
    }
  }

  get left(): Pick<SlotCounts, 'unshown' | 'inUse'> {
    const inUse = [...this.#inUse.values()].reduce((sum, keys) => sum + keys.length, 0)
    return { unshown: this.#unshown().length, inUse }
  }

  get unknownSlots(): readonly Uint8Array[] {
    const { facts } = this.#deps
    const isOpen = ([key, slot]: readonly [SlotKey, Slot]): boolean => {
      const fact = facts?.of(slot.nullifier)
      return this.#isUnknown(key, slot) && !this.#records.has(key) && !(fact && isOver(fact))
    }
    return [...this.#slots].filter(isOpen).map(([, { nullifier }]) => nullifier)
  }

  get hasSpare(): boolean {
    const ready = this.#deps.authoriser.prepared
    return ready >= SPARE_READY && this.#unshown().length >= SPARE_SLOTS
  }

  async load(): Promise<void> {
    // The one that tickets were signed for goes before the one that was to follow it.
    const records = (await this.#deps.journal.all()).toSorted(inOrderOfUse)
    for (const record of records) {
      this.#note(record)
      this.#floors.set(keyOf(record.nullifier), record.floor)
    }
  }

  async refresh(signal: AbortSignal): Promise<void> {
    await this.#retireReturning()
    const slots = await this.#deps.authoriser.slots(signal)
    this.#refreshedAtMs = this.#deps.nowMs()
    for (const slot of slots) this.#slots.set(keyOf(slot.nullifier), slot)
    this.#free = undefined
    await this.compare()
    this.#warnIfUnknown()
    this.#warnIfLow()
    this.#prepare()
  }

  async compare(): Promise<void> {
    const { facts, isReturning } = this.#deps
    if (!facts) return
    const vouchedFor = [...this.#slots].filter(
      ([key, slot]) =>
        !this.#isUnknown(key, slot) && !this.#records.has(key) && !isReturning(slot.nullifier),
    )
    const inUse = [...this.#records.values()].filter(({ standing }) => standing === 'shown')
    const floors = inUse.map(
      (record) => [record, this.#floors.get(keyOf(record.nullifier)) ?? 0] as const,
    )
    const slots = vouchedFor.map(([, slot]) => slot)
    const newer = findNewer(slots, floors, facts)
    if (newer.isFound) {
      this.#older = [...(this.#older ?? []), ...newer.unrecorded]
      for (const [key] of vouchedFor) this.#forgotten.add(key)
      this.#free = undefined
    }
    if (!this.#older) return
    for (const { nullifier } of inUse) await this.retire(nullifier, 'refused')
    await this.#deps.onOlder(this.#older)
    this.#older = undefined
  }

  async slotFor(hop: NodeKey, use: SlotUse, signal: AbortSignal): Promise<ShownSlot> {
    const place = placeOf(hop, use)
    let giving = this.#giving.get(place)
    if (!giving) {
      giving = this.#give(hop, use).finally(() => this.#giving.delete(place))
      this.#giving.set(place, giving)
    }
    const { nullifier, opening } = await untilAborted(giving, signal)
    const sessionKey = this.#deps.authoriser.sessionKeyFor(nullifier)
    const floor = this.#floors.get(keyOf(nullifier)) ?? 0
    return { nullifier, opening, sessionKey, floor, sent: this.#sentOf(keyOf(nullifier)) }
  }

  async nextFor(hop: NodeKey, use: SlotUse): Promise<Opening | undefined> {
    const place = placeOf(hop, use)
    const [present, following] = this.#inUse.get(place) ?? []
    if (present === undefined) return undefined
    if (following !== undefined) return this.#records.get(following)?.opening
    const name = `${place} next`
    let giving = this.#giving.get(name)
    if (!giving) {
      const opening = this.hasSpare ? this.#takeReady() : undefined
      if (!opening) return undefined
      giving = this.#assign(hop, use, opening).finally(() => this.#giving.delete(name))
      this.#giving.set(name, giving)
    }
    return (await giving).opening
  }

  has(hop: NodeKey, use: SlotUse): boolean {
    return this.#inUse.has(placeOf(hop, use))
  }

  async renew(nullifier: Uint8Array, signal: AbortSignal): Promise<void> {
    const record = this.#records.get(keyOf(nullifier))
    if (record?.standing !== 'shown') return
    const opening = await this.#deps.authoriser.openingFor(nullifier, signal)
    await this.#write({ ...record, opening })
  }

  raiseFloor(nullifier: Uint8Array, index: number): Promise<void> {
    return this.#deps.journal.raiseFloor(nullifier, index)
  }

  onSigned(nullifier: Uint8Array, index: number): void {
    this.#floors.set(keyOf(nullifier), index + 1)
  }

  async retire(nullifier: Uint8Array, standing: Exclude<SlotStanding, 'shown'>): Promise<void> {
    const record = this.#records.get(keyOf(nullifier))
    if (record?.standing === 'shown') await this.#write({ ...record, standing })
  }

  /** What comes back is on the disk before the journal says so: a stop between the two must not leave the slot in use. */
  async #retireReturning(): Promise<void> {
    for (const { nullifier } of this.#records.values())
      if (this.#deps.isReturning(nullifier)) await this.retire(nullifier, 'refused')
  }

  #sentOf(key: SlotKey): SentTickets {
    const known = this.#sent.get(key)
    if (known) return known
    const sent = createSentTickets()
    this.#sent.set(key, sent)
    return sent
  }

  async #give(hop: NodeKey, use: SlotUse): Promise<SlotRecord> {
    const [present = ''] = this.#inUse.get(placeOf(hop, use)) ?? []
    const known = this.#records.get(present)
    if (known) return known
    // Whoever asked may give up; the slot goes on to whoever else asks for this hop.
    return await this.#assign(hop, use, await this.#reserve(this.#deps.closing))
  }

  async #assign(hop: NodeKey, use: SlotUse, opening: Opening): Promise<SlotRecord> {
    const { nullifier } = opening
    try {
      const shownAtS = Math.floor(this.#deps.nowMs() / 1000)
      const place = { nullifier, hop, use, shownAtS, opening }
      const record: SlotRecord = { ...place, standing: 'shown', floor: 0 }
      await this.#write(record)
      this.#deps.onShown(hop, nullifier)
      return record
    } finally {
      this.#reserved.delete(keyOf(nullifier))
      this.#free = undefined
      this.#warnIfLow()
      this.#prepare()
    }
  }

  /** Takes a slot that nobody was shown, any of those that are proved: their order within a deposit would tell that two hops have the same client. */
  async #reserve(signal: AbortSignal): Promise<Opening> {
    const { authoriser } = this.#deps
    for (;;) {
      if (this.#unshown().length === 0) await this.#lookForTopUp()
      const unshown = this.#unshown().map(({ nullifier }) => nullifier)
      if (unshown.length === 0) throw moneyError('DEPOSIT_SPENT', { slots: this.counts.total })
      const opening = this.#takeReady()
      if (opening) return opening
      await authoriser.prepareOne(unshown, signal)
    }
  }

  #takeReady(): Opening | undefined {
    const unshown = this.#unshown().map(({ nullifier }) => nullifier)
    const opening = this.#deps.authoriser.takePrepared(unshown)
    if (opening) {
      this.#reserved.add(keyOf(opening.nullifier))
      this.#free = undefined
    }
    return opening
  }

  async #lookForTopUp(): Promise<void> {
    if (this.#deps.nowMs() - this.#refreshedAtMs < REFRESH_MIN_MS) return
    await this.refresh(this.#deps.closing)
  }

  /** In the background: what could not be made ahead is made when it is needed. */
  #prepare(): void {
    const { authoriser, closing } = this.#deps
    const unshown = this.#unshown().map(({ nullifier }) => nullifier)
    authoriser.prepare(unshown, closing).catch(() => {})
  }

  /** Asked for often: paths are chosen by how many are left. */
  #unshown(): readonly Slot[] {
    const { facts, isReturning } = this.#deps
    const isFree = ([key, slot]: readonly [SlotKey, Slot]): boolean => {
      const isTaken = this.#records.has(key) || this.#reserved.has(key)
      const isUntouched = (facts?.of(slot.nullifier)?.state ?? 'none') === 'none'
      const isKnown = !this.#isUnknown(key, slot)
      return isKnown && isUntouched && !isTaken && !isReturning(slot.nullifier)
    }
    return (this.#free ??= [...this.#slots].filter(isFree).map(([, slot]) => slot))
  }

  async #write(record: SlotRecord): Promise<void> {
    await this.#deps.journal.put(record)
    this.#note(record)
  }

  #note(record: SlotRecord): void {
    const key = keyOf(record.nullifier)
    const place = placeOf(record.hop, record.use)
    this.#records.set(key, record)
    this.#free = undefined
    const others = (this.#inUse.get(place) ?? []).filter((other) => other !== key)
    if (record.standing === 'shown') {
      const isKnown = this.#inUse.get(place)?.includes(key) ?? false
      if (!isKnown) this.#inUse.set(place, [...others, key])
      return
    }
    this.#sent.delete(key)
    if (others.length > 0) this.#inUse.set(place, others)
    else this.#inUse.delete(place)
  }

  #isUnknown(key: SlotKey, { isKnownUnshown }: Slot): boolean {
    return !isKnownUnshown || this.#forgotten.has(key)
  }

  #warnIfUnknown(): void {
    const unknown = this.unknownSlots.length
    if (unknown > this.#unknownTold) this.#deps.onUnknown(unknown)
    this.#unknownTold = unknown
  }

  #warnIfLow(): void {
    const unshown = this.#unshown().length
    const isLow = unshown < LOW_SLOTS
    if (isLow && !this.#wasLow) this.#deps.onLow(unshown)
    this.#wasLow = isLow
  }
}

function keyOf(nullifier: Uint8Array): SlotKey {
  return toHex(nullifier)
}

function inOrderOfUse(a: SlotRecord, b: SlotRecord): number {
  const unusedLast = Number(a.floor === 0) - Number(b.floor === 0)
  return unusedLast === 0 ? a.shownAtS - b.shownAtS : unusedLast
}

function placeOf(hop: NodeKey, use: SlotUse): string {
  return `${use} ${hop}`
}

/** Takes down what hops and the chain see, field by field and cell by cell, with whose it was and which unit of theirs (observations.ts). */
import assert from 'node:assert/strict'
import { toHex } from '@byway/protocol/base'
import { PAY, TOKEN_KIND } from '@byway/protocol/wire'
import type { PayMessage } from '@byway/protocol/wire'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'
import { CellBook } from './cell-book.ts'
import { fieldsOf, type Observation } from './observations.ts'

/** Which unit a hop's view belongs to; it may become known only later. */
export type Place = { unit: string | undefined; readonly waiting: ((unit: string) => void)[] }

/** Where a hop stands on a circuit. Hops have numbers of their own. */
export type Stand = {
  readonly hop: number
  /** From 0 at the entry. */
  readonly at: number
  readonly previous: number | undefined
  readonly next: number | undefined
}

const MIB = 1024 * 1024
/** Units that carry less than this, or are paid for less, are alike in size: pages, a stock, a download, several. */
const SIZES_BYTES = [64 * MIB, 256 * MIB, 1024 * MIB, 4096 * MIB, Number.POSITIVE_INFINITY]
const KIND_NAMES = [
  [TOKEN_KIND.BANDWIDTH, 'bandwidth'],
  [TOKEN_KIND.ADMISSION, 'admission'],
  [TOKEN_KIND.BULK, 'bulk'],
] as const

/** Bandwidth tokens around the first bulk tokens; undefined among fewer than eight. */
export type BulkBegin = { readonly before: number; readonly among: number | undefined }

export class Recorder {
  readonly seen: Observation[] = []
  /** Of entries and last hops, and of how all hops were built in. A middle has its entry's bytes: the two share a link, and know each other by it. */
  readonly cells: CellBook = new CellBook()
  /** Of middles and last hops: what the entry sent on, held against everything but the entry's. */
  readonly inner: CellBook = new CellBook()
  /** What hops read in the clear, padding too. Its fields are compared one by one besides. */
  readonly opened: CellBook = new CellBook(false)
  /** By nullifier: the unit whose observer knows it. */
  readonly #unitOfSlot = new Map<string, string>()

  /** By unit: what its observer knows that it carried or was paid. */
  readonly #carried = new Map<string, number>()
  /** By unit: tokens of each kind that were asked for. */
  readonly #bought = new Map<string, { readonly client: number; bought: Map<number, number> }>()
  /** Of a relay's view of a circuit: the traffic class of its tunnel, which only the exit is told. */
  readonly classOf: Map<string, number> = new Map()
  /** Of tunnels and circuits that were paid in bulk tokens: how many others came before and among the first eight, and whether their client had used bulk tokens of that hop before in this life. */
  readonly bulkBegins: (BulkBegin & { readonly isAgain: boolean })[] = []
  readonly #bulkAt = new Set<string>()
  readonly #bytesOfAmount: (amount: bigint) => number

  /** @param bytesOfAmount - what a ticket pays for */
  constructor(bytesOfAmount: (amount: bigint) => number) {
    this.#bytesOfAmount = bytesOfAmount
  }

  /** By unit: on its first circuit. */
  readonly #stands = new Map<string, Stand>()

  value(client: number, unit: string, name: string, value: Uint8Array | number): void {
    this.seen.push({ client, unit, name, value })
  }

  message(client: number, unit: string, role: string, message: object): void {
    for (const { name, value } of fieldsOf(role, message))
      this.value(client, unit, name, value instanceof Uint8Array ? value.slice() : value)
  }

  /** @param hop - which of them sees it @param books - where it is compared */
  cell(
    client: number,
    place: Place,
    { name, hop, books }: { name: string; hop: string; books: readonly CellBook[] },
    cell: Uint8Array,
  ): void {
    const bytes = cell.slice()
    const note = (unit: string): void => {
      for (const book of books) book.add(client, unit, name, hop, bytes)
    }
    if (place.unit === undefined) place.waiting.push(note)
    else note(place.unit)
  }

  /** Takes down between whom a hop stands on a circuit: it knows both by its links to them. @param role - what the circuit is for */
  stands(client: number, place: Place, role: string, stand: Stand): void {
    const note = (unit: string): void => {
      for (const side of ['previous', 'next'] as const) {
        const neighbour = stand[side]
        // An entry has a unit for each client, and knows it.
        if (stand.at > 0 && neighbour !== undefined)
          this.value(client, unit, `${role} ${side} at ${stand.at}`, neighbour)
      }
      if (!this.#stands.has(unit)) this.#stands.set(unit, stand)
    }
    if (place.unit === undefined) place.waiting.push(note)
    else note(place.unit)
  }

  /** One name for all units of one hop at one place between the same neighbours. */
  readonly standOf = (unit: string): string => {
    const { hop, at, previous, next } = this.#stands.get(unit) ?? {}
    return `${hop} at ${at} between ${previous} and ${next}`
  }

  /** Takes down that a unit carried so many bytes more, or was paid for them: whoever sees it counts them. */
  carried(unit: string, bytes: number): void {
    this.#carried.set(unit, (this.#carried.get(unit) ?? 0) + bytes)
  }

  /** @param place - the client, its life and the hop */
  bulk(place: string, begin: BulkBegin): void {
    this.bulkBegins.push({ ...begin, isAgain: this.#bulkAt.has(place) })
    this.#bulkAt.add(place)
  }

  /** One name for all units that carry about as much. */
  readonly sizeOf = (unit: string): string => {
    const bytes = this.#carried.get(unit) ?? 0
    return String(SIZES_BYTES.findIndex((most) => bytes < most))
  }

  /** Which hop it is that sees a unit, and at which place. */
  readonly hopOf = (unit: string): string => {
    const { hop, at } = this.#stands.get(unit) ?? {}
    return `${hop} at ${at}`
  }

  /** Takes down what each slot bought in all. */
  sumUp(): void {
    for (const [unit, { client, bought }] of this.#bought)
      for (const [kind, name] of KIND_NAMES)
        this.value(client, unit, `control.${name}Bought`, bought.get(kind) ?? 0)
    this.#bought.clear()
  }

  unitOf(nullifier: Uint8Array): string {
    return this.#unitOfSlot.get(toHex(nullifier)) ?? `slot ${toHex(nullifier)}`
  }

  #pay(client: number, unit: string, role: string, pay: PayMessage): void {
    this.message(client, unit, pay.kind === PAY.NEXT ? `${role}.next` : role, pay)
    if (pay.kind === PAY.TICKET) this.carried(unit, this.#bytesOfAmount(pay.amount))
    if (pay.kind !== PAY.BUY) return
    const { tokenKind, elements } = pay
    this.value(client, unit, `${role}.count`, elements.length)
    const { bought } = this.#bought.get(unit) ?? { bought: new Map<number, number>() }
    this.#bought.set(unit, { client, bought })
    bought.set(tokenKind, (bought.get(tokenKind) ?? 0) + elements.length)
  }

  /** Takes down what is said both ways. On a control circuit that is the slot's which is shown there, the only one. */
  carrier(client: number, role: string, carrier: ControlCarrier, place: Place): ControlCarrier {
    const isEntry = place.unit !== undefined
    const note = (pay: PayMessage): void => {
      if (pay.kind === PAY.SHOW) {
        const shown = isEntry ? place.unit : this.unitOf(pay.opening.nullifier)
        assert.ok(shown !== undefined)
        assert.ok(place.unit === undefined || place.unit === shown, 'one slot on a control circuit')
        this.#unitOfSlot.set(toHex(pay.opening.nullifier), shown)
        settle(place, shown)
      }
      if (pay.kind === PAY.NEXT && place.unit !== undefined)
        this.#unitOfSlot.set(toHex(pay.opening.nullifier), place.unit)
      // Nothing is said before a slot is shown but the question for the keys, which are everybody's.
      if (place.unit !== undefined) this.#pay(client, place.unit, role, pay)
      else assert.ok(pay.kind === PAY.KEYS_GET || pay.kind === PAY.KEYS)
    }
    return {
      get isClosed() {
        return carrier.isClosed
      },
      get carriedBytes() {
        return carrier.carriedBytes
      },
      listen: (listener) =>
        carrier.listen({
          ...listener,
          onClosed: (isLinkLost) => listener.onClosed(isLinkLost),
          onPay(pay) {
            note(pay)
            listener.onPay(pay)
          },
        }),
      send(messages) {
        for (const message of messages) note(message)
        carrier.send(messages)
      },
      close: () => carrier.close(),
    }
  }
}

export function placeOf(unit?: string): Place {
  return { unit, waiting: [] }
}

function settle(place: Place, unit: string): void {
  place.unit = unit
  for (const note of place.waiting.splice(0)) note(unit)
}

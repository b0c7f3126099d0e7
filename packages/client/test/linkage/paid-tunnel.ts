/**
 * A tunnel of the linkage test that is paid for as a client pays: its own payers decide when, by what they count, which token or ticket goes, and its hops hold what is not paid for. Of a page or a
 * download the bytes themselves are not made: both ends count cells as they would pass in simulated time. What the hops are paid goes over the circuit in real cells.
 */
import assert from 'node:assert/strict'
import {
  bytesOfToken,
  classWeight,
  createFreeBucket,
  createMeter,
  type Meter,
  SAME_PRICE,
} from '@byway/protocol/payment'
import {
  HOP_MESSAGE,
  type HopMessage,
  MAX_CELL_BYTES,
  PAY,
  type SpendMessage,
  TOKEN_KIND,
  TRAFFIC_CLASSES,
  type TunnelTerms,
} from '@byway/protocol/wire'
import { createTunnelPayer } from '../../src/money/tunnel-payer.ts'
import type { Client, Entry, Hop, Paying } from './paying.ts'
import { openTunnel, type TunnelPlay } from './tunnel-play.ts'
import type { Wire } from './wire.ts'

/** A circuit of a tunnel: who stands where, and which unit each one's view is. */
export type PaidLeg = {
  readonly entry: Hop
  readonly middle: Hop
  readonly exit: Hop
  readonly units: readonly string[]
  readonly wire: Wire
}

export type PaidTunnel = {
  /** The application asks for pages, and has them all. */
  browse(): void
  /** So many bytes come, as fast as that in simulated time, and slower where a hop holds them. */
  carry(bytes: number, bytesPerMs: number): Promise<void>
  rejoin(leg: PaidLeg): void
  close(): void
}

export type PaidTunnelOptions = {
  readonly client: Client
  readonly paying: Paying
  readonly terms: TunnelTerms
  readonly admission: SpendMessage
  /** Of the world. */
  readonly random: () => number
  /** Lets simulated time pass. */
  readonly pass: (ms: number) => Promise<void>
}

/** SPEC §15.4: what a hop after the entry serves for nothing. */
const FREE_BYTES = 256 * 1024
/** To an exit and back. */
const RTT_MS = 80
const STEP_MS = 50
/** Of a cell that is full: its header and what seals it. */
const AROUND_BYTES = 64
const MIB = 1024 * 1024
/** As many as are bought ahead. */
const FIRST_BULK = 8
/** A hop that was not paid for so long would have ended the circuit. */
const MOST_HELD_MS = 60_000

/** What a hop after the entry sees of how it is paid. */
type Till = {
  readonly unit: string
  readonly meter: Meter
  bandwidth: number
  bulk: number
  beforeBulk: number
  /** Bandwidth tokens from the first bulk token to the eighth. */
  amongBulk: number
}

/** Opens one, and pays what admits it. */
export function openPaidTunnel(first: PaidLeg, options: PaidTunnelOptions): PaidTunnel {
  const { client, paying, terms, random, pass } = options
  const { recorder, timers } = paying
  const { nowMs } = timers
  const weight = classWeight(terms)
  let leg = first
  let middle = createTill(leg.units[1], false)
  const exit = createTill(leg.units[2], true)
  let entry = entryOf(leg)
  let isPaying = false

  function createTill(unit: string | undefined, isExit: boolean): Till {
    assert.ok(unit !== undefined)
    const { trafficClass } = terms
    if (isExit) note(unit, 'trafficClass', TRAFFIC_CLASSES.indexOf(trafficClass))
    else recorder.classOf.set(unit, TRAFFIC_CLASSES.indexOf(trafficClass))
    const ratio = isExit ? weight.classParts / weight.priceParts : 1
    const free = createFreeBucket({ capacityBytes: FREE_BYTES * ratio, bytesPerS: 0 }, nowMs())
    const meter = createMeter(free, isExit ? weight : SAME_PRICE)
    return { unit, meter, bandwidth: 0, bulk: 0, beforeBulk: 0, amongBulk: 0 }
  }
  function entryOf({ entry: hop }: PaidLeg): Entry {
    return client.entries.get(hop) ?? assert.fail('a guard')
  }
  function note(unit: string, name: string, value: number): void {
    recorder.value(client.number, unit, `circuit.${name}`, value)
  }

  function onMessage(hop: number, message: HopMessage): void {
    recorder.message(client.number, leg.units[hop] ?? assert.fail(), 'circuit', message)
    if (message.type === HOP_MESSAGE.PAY && message.pay.kind === PAY.SPEND)
      take(hop === 1 ? middle : exit, message.pay)
  }

  function take(till: Till, { tokenKind }: SpendMessage): void {
    if (tokenKind === TOKEN_KIND.ADMISSION) return
    const { meter, unit } = till
    const isBulk = tokenKind === TOKEN_KIND.BULK
    // How far it is paid ahead when a payment comes, and where in what it carries.
    note(unit, 'aheadMib', Math.floor((meter.paidBytes - meter.countedBytes) / MIB))
    note(unit, 'paidAtMib', Math.floor(meter.countedBytes / MIB))
    if (isBulk) till.bulk++
    else {
      till.bandwidth++
      if (till.bulk === 0) till.beforeBulk++
      else if (till.bulk < FIRST_BULK) till.amongBulk++
    }
    meter.pay(bytesOfToken(tokenKind), nowMs())
  }

  /** Seen when a circuit is over. */
  function sum(till: Till): void {
    const { unit, meter, bandwidth, bulk, beforeBulk, amongBulk } = till
    const hop = till === exit ? leg.exit : leg.middle
    note(unit, 'bandwidthTokens', bandwidth)
    note(unit, 'bulkTokens', bulk)
    if (bulk > 0) {
      note(unit, 'bandwidthTokensBeforeBulk', beforeBulk)
      recorder.bulk(`${client.number} ${paying.life} ${hop.pay.node.key}`, {
        before: beforeBulk,
        among: bulk < FIRST_BULK ? undefined : amongBulk,
      })
    }
    note(unit, 'leftMib', Math.floor((meter.paidBytes - meter.countedBytes) / MIB))
    recorder.carried(unit, meter.countedBytes)
  }

  function count(bytes: number, isSent: boolean, usefulBytes = bytes): void {
    const atMs = nowMs()
    for (const { meter } of [entry, middle, exit]) meter.count(bytes, atMs)
    entry.payer.onCounted(bytes)
    if (isSent) payer.onSent(bytes)
    else assert.ok(payer.onReceived(bytes, usefulBytes, true))
  }

  const play: TunnelPlay = openTunnel(leg.wire, {
    randomBytes: client.randomBytes,
    random,
    terms,
    onMessage,
    onCell: (isSent, bytes) => count(bytes, isSent),
  })
  const payer = createTunnelPayer(
    {
      shop: client.shop,
      spending: client.money.spending,
      records: client.money.sessionDeps.records,
      onFault: () => assert.fail('a fault'),
      isPaid: () => true,
      nowMs,
    },
    options.admission,
    weight,
  )
  function ride(): void {
    const path = [leg.entry, leg.middle, leg.exit].map(({ pay }) => pay.node)
    client.inUse = [leg.middle, leg.exit]
    payer.onLeg({
      path,
      rttMs: () => RTT_MS,
      send(message, hop) {
        isPaying = true
        return hop === undefined ? play.tunnel.pay(message) : play.tunnel.payHop(hop, message)
      },
    })
  }
  const isHeld = (): boolean => [entry, middle, exit].some(({ meter }) => !meter.isServing)

  ride()
  payer.admit()
  return {
    browse: () => play.browse(),
    async carry(bytes, bytesPerMs) {
      let [left, atMs, movedAtMs] = [bytes, nowMs(), nowMs()]
      while (left > 0) {
        await pass(STEP_MS)
        play.settle()
        // No time passes while a hop signs, and nothing else does.
        for (let room = bytesPerMs * (nowMs() - atMs); room > 0 && left > 0 && !isHeld();) {
          count(MAX_CELL_BYTES, false, MAX_CELL_BYTES - AROUND_BYTES)
          ;[room, left] = [room - MAX_CELL_BYTES, left - MAX_CELL_BYTES]
          if (isPaying) play.settle()
          isPaying = false
        }
        atMs = nowMs()
        if (!isHeld()) movedAtMs = atMs
        assert.ok(atMs - movedAtMs < MOST_HELD_MS, 'it is paid for')
      }
    },
    rejoin(next) {
      sum(middle)
      leg = next
      ;[middle, entry] = [createTill(leg.units[1], false), entryOf(leg)]
      ride()
      play.rejoin(leg.wire)
    },
    close() {
      payer.stop()
      play.close()
      sum(middle)
      sum(exit)
      client.inUse = []
    },
  }
}

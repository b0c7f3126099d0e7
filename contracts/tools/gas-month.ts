/**
 * `node contracts/tools/gas-month.ts`: what a win costs in gas over a month of browsing, and what the month costs the client, from the figures of contracts/GAS.md. Prints a
 * table; ADR 0023 says what follows.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../packages/protocol/test/circuit/seeded.ts'
import { playJoinings, type Joinings } from './play-joinings.ts'

/** DESIGN §7.2: 15 GiB a month; a win is worth a GiB at each hop. */
const GIB = 15
const DAYS = 30
const WINS_PER_SLOT = 2
const GUARDS = 2
const EXITS = 3
/** An exit, or an attachment relay, is kept so long. */
const KEPT_DAYS = 3
const BOND = 0.05
const WIN = 0.1
const SLOT = WINS_PER_SLOT * WIN + BOND
/** What leaves and fees of relayers count in. */
const UNIT = BOND / 5
/** Leaves that one proof joins, and units that its sender gets. */
const JOINED = 4
const JOIN_FEE = 2
/** Dollars for a unit of gas at 0.01 gwei and 3000 dollars a coin. */
const DOLLARS_PER_GAS = 0.01e-9 * 3000
/** The client's delay before it asks (mean), T_refund or T_close, and the wait for a root, in days; a joining needs no delay of the contract. */
const [REFUND_DAYS, CLOSE_DAYS, JOIN_DAYS] = [(6 + 12 + 3) / 24, (6 + 72 + 3) / 24, (6 + 3) / 24]
/** Months over which joinings are played. */
export const PLAYED_MONTHS = 60

/** Gas of one thing of each kind. */
export type GasFigures = {
  readonly lock: number
  readonly bind: number
  readonly later: number
}

/** Rows of the table, by name: gas of the whole call. */
export function readFigures(): ReadonlyMap<string, number> {
  const text = readFileSync(fileURLToPath(new URL('../GAS.md', import.meta.url)), 'utf8')
  const rows = text.matchAll(/^\| ([^|]+) \| ([\d ]+) \| [\d ]*\|$/gm)
  return new Map(
    [...rows].map(([, name = '', gas = '']) => [name, Number(gas.replaceAll(' ', ''))]),
  )
}

/** With binds and later wins in sixteens; locks alone, or in sixteens too. */
export function figuresFor(rows: ReadonlyMap<string, number>, areLocksShared: boolean): GasFigures {
  const of = (name: string): number => {
    const gas = rows.get(name)
    if (gas === undefined) throw new Error(`GAS.md has no row ${name}`)
    return gas
  }
  return {
    lock: areLocksShared ? of('lock 16') / 16 : of('lock 1'),
    bind: (of('bind 16, without the proof') + of('judge 16, slot proof')) / 16,
    later: of('claimMore 16') / 16,
  }
}

/** Of a slot that is used until it is full, per win. */
export function fullSlotGas({ lock, bind, later }: GasFigures, winsPerSlot: number): number {
  return (lock + bind + (winsPerSlot - 1) * later) / winsPerSlot
}

/** Slots bound, slots of these that become full, and later wins, expected, at a hop whose slot is dropped after `mean` expected wins; the luck is Poisson's. */
export function expectedAt(mean: number): {
  readonly bound: number
  readonly full: number
  readonly later: number
} {
  let chance = Math.exp(-mean)
  let bound = 0
  let full = 0
  for (let wins = 1; wins < 60; wins++) {
    chance *= mean / wins
    bound += chance * Math.ceil(wins / WINS_PER_SLOT)
    full += chance * Math.floor(wins / WINS_PER_SLOT)
  }
  return { bound, full, later: mean - bound }
}

/** Gas of a win on average, slots that come back, and dollars. */
export type Month = {
  readonly winGas: number
  readonly returned: number
  readonly spent: number
  readonly locked: number
  readonly ownGas: number
  /** What relayers get at a unit a slot. */
  readonly relayed: number
  /** And for joining what comes back less a unit. */
  readonly joinFees: number
  /** In what waits for others to be joined with, or is being joined. */
  readonly unjoined: number
  readonly joinings: Joinings
}

/** A month of browsing over hops that are kept for three days, and guards that are kept. */
export function month(gas: GasFigures, keptHops: number, rows: ReadonlyMap<string, number>): Month {
  const uses = (keptHops * EXITS * DAYS) / KEPT_DAYS
  const each = expectedAt((keptHops * GIB) / uses)
  // Two guards are kept: their slots become full.
  const guards = { bound: GIB / WINS_PER_SLOT, later: GIB / WINS_PER_SLOT }
  const bound = guards.bound + uses * each.bound
  const later = guards.later + uses * each.later
  const wins = bound + later
  // Bound slots are closed and the others refunded; the rest of each is a leaf again.
  const refunds = uses * Math.exp(-(keptHops * GIB) / uses)
  const row = (name: string): number => rows.get(name) ?? 0
  const refundGas =
    row('refund, without the proof') + row('judge 16, slot proof') / 16 + row('finishRefund')
  const closeGas = row('close') + row('finishClose')
  const clientGas = row('deposit, mean') + refunds * refundGas + bound * closeGas
  const full = guards.bound + uses * each.full
  const once = bound - full
  const inUse = GUARDS + EXITS * keptHops
  // What is won in a slot on its way back is spent already.
  const closing = CLOSE_DAYS * (once * (SLOT - WIN) + full * BOND)
  const awaiting = (refunds * REFUND_DAYS * SLOT + closing) / DAYS
  const joinings = playJoinings(
    { unwon: refunds, once, full },
    LEAF_UNITS,
    PLAYED_MONTHS,
    seededRandom(11),
  )
  const joining = (joinings.inSlots * JOIN_DAYS) / DAYS
  return {
    winGas: (bound * (gas.lock + gas.bind) + later * gas.later) / wins,
    spent: wins * WIN,
    locked: inUse * SLOT + awaiting,
    ownGas: clientGas * DOLLARS_PER_GAS,
    returned: refunds + bound,
    relayed: (refunds + bound) * UNIT,
    joinFees: joinings.fees * UNIT,
    unjoined: (joinings.waiting + joining) * UNIT,
    joinings,
  }
}

/** What comes back of a slot, less a unit. */
const LEAF_UNITS = {
  slot: unitsIn(SLOT),
  unwon: unitsIn(SLOT) - 1,
  once: unitsIn(SLOT - WIN) - 1,
  full: unitsIn(BOND) - 1,
}

function unitsIn(dollars: number): number {
  return Math.round(dollars / UNIT)
}

/** What a request covers of its gas, in sixteens where that helps. */
export function coverage(rows: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  const row = (name: string): number => rows.get(name) ?? 0
  const judged = row('judge 16, slot proof') / 16
  const refund = row('refund, without the proof') + judged + row('finishRefund')
  const close = row('close') + row('finishClose')
  const join = row(`join, ${JOINED} leaves, slot proof`)
  return {
    refund: UNIT / (refund * DOLLARS_PER_GAS),
    close: UNIT / (close * DOLLARS_PER_GAS),
    join: (JOIN_FEE * UNIT) / (join * DOLLARS_PER_GAS),
  }
}

/** What a unit, or two, would cover of the gas of paying out a last rest: alone, and in fours. */
export function restCoverage(rows: ReadonlyMap<string, number>): {
  readonly alone: number
  readonly inFours: number
} {
  const gasOf = (what: string): number =>
    (rows.get(`withdrawPart, ${what}, slot proof`) ?? 0) +
    (rows.get(`finishWithdraw, ${what}, slot proof`) ?? 0)
  return {
    alone: UNIT / (gasOf('a rest alone') * DOLLARS_PER_GAS),
    inFours: (4 * UNIT) / (gasOf('4 rests alone') * DOLLARS_PER_GAS),
  }
}

function print(): void {
  const rows = readFigures()
  const say = (name: string, value: string): void => console.log(`${name.padEnd(64)}${value}`)
  const thousands = (gas: number): string => `${(gas / 1000).toFixed(1)}k`
  const dollars = (value: number): string => `$${value.toFixed(2)}`
  for (const areLocksShared of [false, true]) {
    const gas = figuresFor(rows, areLocksShared)
    const how = areLocksShared ? 'locks in 16s' : 'locks alone'
    say(`a win, browsing over public exits, ${how}`, thousands(month(gas, 1, rows).winGas))
    say(`a win of a full slot with K = 8, ${how}`, thousands(fullSlotGas(gas, 8)))
  }
  for (const [name, keptHops] of [
    ['public exits', 1],
    ['attachment relays', 2],
  ] as const) {
    const { spent, locked, ownGas, returned, relayed, joinFees, unjoined, joinings } = month(
      figuresFor(rows, true),
      keptHops,
      rows,
    )
    say(`a month over ${name}: spent on wins`, dollars(spent))
    say('  locked in slots, or on the way back', dollars(locked))
    say(`  gas of ${returned.toFixed(0)} slots that come back, sent by the owner`, dollars(ownGas))
    say('  or a unit of each for a relayer', dollars(relayed))
    say(`  and two for each of ${joinings.count.toFixed(0)} joinings`, dollars(joinFees))
    say('  locked in what waits to be joined, or is being joined', dollars(unjoined))
    say(
      `  who stops has ${joinings.rests.toFixed(1)} rests; paid out at two units each`,
      `${dollars(joinings.waiting * UNIT)}; ${dollars(joinings.paidOut * UNIT)}`,
    )
    say('  in all, own gas', dollars(spent + locked + ownGas))
    say('  in all, through relayers, not joined', dollars(spent + locked + relayed))
    say('  in all, joined', dollars(spent + locked + relayed + joinFees))
    say('  with what waits to be joined', dollars(spent + locked + relayed + joinFees + unjoined))
  }
  for (const [what, times] of Object.entries(coverage(rows)))
    say(`the fee of a ${what} covers its gas, times`, times.toFixed(2))
  const { alone, inFours } = restCoverage(rows)
  say('a unit would cover the gas of a last rest alone, times', alone.toFixed(2))
  say('  and in fours', inFours.toFixed(2))
}

if (import.meta.main) print()

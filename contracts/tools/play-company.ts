/**
 * `node tools/run.mjs contracts/tools/play-company.ts`: the month of play-browsing.ts at nodes with coin of their own. They send locks and later wins themselves and offer binds to two of
 * several redeemers (`packages/node/src/redemption/company-offers.ts`); a redeemer sends what pays for its gas together, and what nobody sends the node sends after eighteen minutes.
 */
import {
  aloneGasOf,
  type BatchKind,
  bindShareGas,
} from '../../packages/node/src/redemption/batching.ts'
import { companyFee } from '../../packages/node/src/redemption/company-offers.ts'
import { readFigures } from './gas-month.ts'
import {
  batchGas,
  BROWSING_SEED,
  entriesOf,
  type MadeBatch,
  type Order,
  type Played,
  playBrowsing,
  playMonth,
  POLICY,
  sharedGas,
} from './play-browsing.ts'

/** Nodes with coin, what each carries a day, and the redeemers that they know. */
export const WITH_COIN: readonly (readonly [nodes: number, gibADay: number, redeemers: number])[] =
  [
    [10, 10, 2],
    [50, 10, 2],
    [50, 10, 5],
    [50, 100, 2],
    [50, 100, 5],
    [50, 100, 20],
  ]
/** A redeemer that has not sent it by then, and by what it may wait for company, is given up (`packages/node/src/redemption/redemption.ts`). */
const PATIENCE_MS = POLICY.companyMs + 180_000
/** The start values: $0.10, $3000, 0.01 gwei. */
const WORTH = { winValue: 10n ** 17n, coinPrice: 3000n * 10n ** 18n }
const BASE_FEE = 10_000_000n

/** What a month of nodes came to, and what they paid for a win of their own, as gas. */
export type PlayedCompany = Played & { readonly paid: number }

/** Plays a month of such nodes. */
export function playCompany(
  loads: readonly number[],
  redeemers: number,
  seed: number,
  rows: ReadonlyMap<string, number>,
): PlayedCompany {
  const [ownGas, shared] = [batchGas(rows), sharedGas(rows)]
  let [saved, spent] = [0, 0]
  const isShared = (kind: BatchKind, orders: readonly Order[]): boolean =>
    kind === 'bind' && orders.length > 1
  const gasOf = (kind: BatchKind, orders: readonly Order[]): number => {
    const entries = entriesOf(orders)
    if (!isShared(kind, orders)) return ownGas(kind, entries)
    return shared(kind, entries, new Set(orders.map(({ node }) => node)).size)
  }
  const played = playMonth(loads, seed, {
    waitOf: (batch) => (isOffered(batch) ? POLICY.companyMs : 0),
    patienceMs: PATIENCE_MS,
    placesOf(batch, random) {
      if (!isOffered(batch)) return [`node ${batch.node} ${random()}`]
      const first = Math.floor(random() * redeemers)
      const second = (first + 1 + Math.floor(random() * (redeemers - 1))) % redeemers
      return [`redeemer ${first}`, `redeemer ${second}`]
    },
    isSent: (kind, orders) => !orders.every(isOffered) || fees(orders) >= gasOf(kind, orders),
    gasOf(kind, orders) {
      const gas = gasOf(kind, orders)
      spent += gas
      if (isShared(kind, orders)) saved += gas - fees(orders)
      return gas
    },
  })
  return { ...played, paid: (spent - saved) / played.wins }
}

function isOffered({ kind, slots }: MadeBatch): boolean {
  return kind === 'bind' && companyFee(slots.length, WORTH, BASE_FEE) !== undefined
}

/** Of binds that were offered, as gas. */
function fees(orders: readonly Order[]): number {
  return orders.reduce((sum, { slots: { length } }) => {
    return sum + Number(bindShareGas(length) + aloneGasOf('bind', length)) / 2
  }, 0)
}

function print(): void {
  const rows = readFigures()
  const k = (gas: number): string => `${(gas / 1000).toFixed(1)}k`
  console.log(`seed ${BROWSING_SEED}; a win takes, lock and proof included:`)
  for (const [nodes, load, redeemers] of WITH_COIN) {
    const loads = Array.from({ length: nodes }, () => load)
    const alone = playBrowsing(load, BROWSING_SEED, batchGas(rows))
    const { gas, paid, wins, entries } = playCompany(loads, redeemers, BROWSING_SEED, rows)
    const name = `${nodes} of ${load} GiB, ${redeemers} redeemers`
    const binds = `${entries.bind.toFixed(1)} binds a transaction`
    console.log(
      `${name.padStart(28)}: ${k(gas)}, its node pays ${k(paid)}, ${wins} wins; ${binds}; alone ${k(alone.gas)}`,
    )
  }
}

if (import.meta.main) print()

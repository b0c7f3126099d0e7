/** Gas of the contract's calls on anvil, with real slot proofs, and of a win over a month of browsing (ADR 0023): no network and no clock, so the figures are the same in every run. */
import { figuresFor, fullSlotGas, month } from '../../contracts/tools/gas-month.ts'
import { measureGas } from '../../contracts/tools/gas-table.ts'
import {
  batchGas,
  BROWSING_SEED,
  LOADS_GIB,
  playBrowsing,
} from '../../contracts/tools/play-browsing.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { worldOf, type WorldSection } from './section.ts'

export const GAS_SYSTEM = 'byway-pool'
/** What the goals ask for. */
export const GAS_METRICS = {
  browsing: 'a win of a month of browsing, locks in sixteens',
  browsingAlone: 'a win of a month of browsing, each lock alone',
  /** Played through the rules of batches, at a node that carries so many GiB a day. */
  played: (gibADay: number) => `a win of a played month of browsing at ${gibADay} GiB a day`,
  full: 'a win of a full slot of eight, in sixteens, lock included',
} as const
/** A month's exits with a public port: the entries and one hop more are kept. */
const KEPT_HOPS = 1
const WINS_OF_BULK = 8

/** Rows that PAYMENTS has figures for too, from its laboratory's contracts. */
const CALLS = ['lock 1', 'lock 16', 'claimMore 1', 'claimMore 16'] as const

/** Creates the section. */
export function createGas(): WorldSection {
  return {
    name: 'gas',
    title:
      'Gas of whole transactions on anvil, and what a win takes on average. All calls: `npm run gas`, contracts/GAS.md',
    missing: () => undefined,
    open: (context) => worldOf(() => record(context)),
  }
}

async function record({ recorder, log }: BenchContext): Promise<void> {
  const rows = new Map(Object.entries((await measureGas()).gas))
  const add = (metric: string, value: number): void => {
    recorder.add({ section: 'gas', metric, system: GAS_SYSTEM, unit: 'gas', value })
    log(`  ${metric}: ${Math.round(value)} gas`)
  }
  const [shared, alone] = [figuresFor(rows, true), figuresFor(rows, false)]
  add(GAS_METRICS.browsing, month(shared, KEPT_HOPS, rows).winGas)
  add(GAS_METRICS.browsingAlone, month(alone, KEPT_HOPS, rows).winGas)
  for (const load of LOADS_GIB) {
    const { gas } = playBrowsing(load, BROWSING_SEED, batchGas(rows))
    add(GAS_METRICS.played(load), gas)
  }
  add(GAS_METRICS.full, fullSlotGas(shared, WINS_OF_BULK))
  for (const call of CALLS) add(call, rows.get(call) ?? Number.NaN)
}

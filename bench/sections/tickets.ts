/** Tickets checked and signed on one core, beside plain ECDSA: no network, so a world of its own. */
import { measureTickets, missingNative } from '../../packages/protocol/bench/ticket.bench.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { worldOf, type WorldSection } from './section.ts'

const TICKETS = { quick: 5_000, full: 30_000 } as const
/** Operations per second of CPU time. */
const UNIT = '/s'
export const CHECKED_METRIC = 'checked or verified'

/** Creates the section. */
export function createTickets(): WorldSection {
  return {
    name: 'tickets',
    title:
      'Operations for each second of CPU time of one core. `byway-ticket` does all that a hop does for a ticket: makes its commit, remakes it when the ticket comes, digest, recovery of the signer, draw; the others verify the signatures of the same tickets and nothing else',
    missing: missingNative,
    open: (context) =>
      worldOf(() => {
        record(context)
        return Promise.resolve()
      }),
  }
}

function record({ recorder, log, isQuick }: BenchContext): void {
  const figures = measureTickets(TICKETS[isQuick ? 'quick' : 'full'])
  const add = (system: string, metric: string, value: number): void => {
    recorder.add({ section: 'tickets', metric, system, unit: UNIT, value })
    log(`  ${system}, ${metric}: ${Math.round(value)} ${UNIT}`)
  }
  add('byway-ticket', CHECKED_METRIC, figures.checked)
  add('byway-ticket', 'signed', figures.signed)
  add('native ECDSA', CHECKED_METRIC, figures.nativeVerified)
  add('@noble/curves ECDSA', CHECKED_METRIC, figures.nobleVerified)
}

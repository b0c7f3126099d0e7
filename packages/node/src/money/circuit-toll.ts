/**
 * Payment for one circuit at a relay that is not its entry (SPEC §15.4): a window, tokens, and what waits for them.
 * @module
 */
import type { FreeBytes } from '@byway/protocol/payment'
import { CLOSE_REASON, PAY, TOKEN_KIND } from '@byway/protocol/wire'
import type { ClientPayMessage } from '@byway/protocol/wire'
import type { PaidCircuit, PaidCircuitHost } from '../relay/ports.ts'
import { createCellToll } from './held-cells.ts'
import type { TakenToken, TokenIntake } from './token-intake.ts'
import type { MeterWatch } from './meter-watch.ts'

export type CircuitTollDeps = {
  readonly watch: MeterWatch
  readonly tokens: TokenIntake
  readonly free: FreeBytes
  /** A token counts: it is in the toll's `paidBytes` as soon as this returns. */
  readonly onTaken: (token: TakenToken) => void
  /** The circuit is gone: its counts are final. */
  readonly onClosed: () => void
}

/** Creates the account of a fresh circuit. */
export function createCircuitToll(deps: CircuitTollDeps, host: PaidCircuitHost): PaidCircuit {
  const { watch, tokens, free, onTaken, onClosed } = deps
  const toll = createCellToll({
    watch,
    free,
    onDue: (due) => host.send({ kind: PAY.DUE, ...due }),
  })

  async function endUnless(kept: Promise<boolean>): Promise<void> {
    if (!(await kept)) host.end(CLOSE_REASON.UNPAID)
  }

  function onPay(pay: ClientPayMessage): boolean {
    if (pay.kind === PAY.KEYS_GET) {
      host.send(tokens.keysMessage())
      return true
    }
    if (pay.kind !== PAY.SPEND || pay.tokenKind === TOKEN_KIND.ADMISSION) return false
    const spent = tokens.take(pay, 'relay')
    if (spent.type === 'taken') {
      onTaken(spent)
      toll.credit(spent.bytes)
      void endUnless(spent.kept)
    }
    if (spent.type === 'refused') host.send(spent.answer)
    return spent.type !== 'bad'
  }

  return {
    toll,
    onPay,
    close() {
      toll.close()
      onClosed()
    },
  }
}

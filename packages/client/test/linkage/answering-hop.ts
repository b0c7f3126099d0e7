/** What the last hop of a control circuit says, where that is not about slots and tokens: relayers, and nodes that know the chain. */
import type { ClientPayMessage, HopPayMessage } from '@byway/protocol/wire'
import type { PayListener } from '../../src/money/carrier.ts'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'

export type Say = (message: HopPayMessage) => void

/** Hears each message a turn later. */
export function answeringHop(hear: (message: ClientPayMessage, say: Say) => void): ControlCarrier {
  let listener: PayListener | undefined
  const hop = {
    isClosed: false,
    // The client's end counts what the circuit carries.
    carriedBytes: 0,
    listen: (told: PayListener) => void (listener = told),
    send(messages: readonly ClientPayMessage[]) {
      for (const message of messages)
        queueMicrotask(() =>
          hear(message, (said) => {
            if (!hop.isClosed) listener?.onPay(said)
          }),
        )
    },
    close() {
      if (hop.isClosed) return
      hop.isClosed = true
      listener?.onClosed(false)
    },
  }
  return hop
}

/** One slot, one circuit, one relayer (SPEC §15.8): asks whether it sends slots back, and only then says which. @module */
import { CLOSE_REASON, PAY, REDEEM_ANSWER, RETURN_KIND } from '@byway/protocol/wire'
import type {
  PayMessage,
  RedeemAnswer,
  ReturnMessageBody,
  ReturnRequest,
} from '@byway/protocol/wire'
import { circuitError } from '../engine/errors.ts'
import type { PayCarrier } from '../money/carrier.ts'
import { answerWithin } from '../money/within.ts'
import type { Timers } from '../proxy/timers.ts'

// Local limit (tunable): docs/LIMITS.md.
/** A relayer tries the call on the chain before it answers. */
const ANSWER_MS = 25_000

/**
 * Leaves one request with a hop, if it takes any. `prepare` makes it, and puts it on the disk, once the hop has said that it would; nothing is sent where it gives nothing.
 * @throws PAYMENT_REFUSED when the hop does not answer, CIRCUIT_FAILED, what `prepare` throws, or the signal's reason
 */
export async function leaveReturn(
  carrier: PayCarrier,
  prepare: () => Promise<ReturnRequest | undefined>,
  signal: AbortSignal,
  timers?: Timers,
): Promise<RedeemAnswer> {
  let waiting = Promise.withResolvers<RedeemAnswer>()
  carrier.listen({
    onPay(pay: PayMessage) {
      if (pay.kind === PAY.RETURNED) waiting.resolve(pay.answer)
    },
    onClosed: () => waiting.reject(circuitError(CLOSE_REASON.FINISHED)),
  })
  const ask = async (request: ReturnMessageBody): Promise<RedeemAnswer> => {
    waiting = Promise.withResolvers()
    waiting.promise.catch(() => {})
    if (carrier.isClosed) throw circuitError(CLOSE_REASON.FINISHED)
    carrier.send([{ kind: PAY.RETURN, request }])
    return await answerWithin(waiting.promise, ANSWER_MS, signal, timers)
  }
  waiting.promise.catch(() => {})
  try {
    const would = await ask({ kind: RETURN_KIND.ASK })
    if (would !== REDEEM_ANSWER.TAKEN) return would
    const request = await prepare()
    return request ? await ask(request) : REDEEM_ANSWER.TRY_LATER
  } finally {
    carrier.close()
  }
}

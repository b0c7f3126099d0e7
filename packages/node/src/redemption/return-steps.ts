/** What a relayer does for a request (SPEC §15.8), given where its slot is, and the calls that do it. */
import type { LeafCalls, PoolCalls } from '@byway/chain'
import { equalBytes, isAllZero } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { ContractCall, SlotState, SlotWord } from '@byway/protocol/payment'
import { numberOf, returnDigest, type Pool } from '@byway/protocol/ticket'
import {
  RETURN_KIND,
  returnNullifier,
  type ReturnDestination,
  type ReturnRequest,
} from '@byway/protocol/wire'

/** `begin` and `finish` are sent; `wait`: a provider may still bind the slot; `over`: nothing is left to do. */
export type ReturnStep = 'begin' | 'finish' | 'wait' | 'over'

/** The calls that take slots back. */
export type ReturnCalls = Pick<
  PoolCalls,
  'refund' | 'finishRefund' | 'close' | 'finishClose' | 'finishWithdraw'
> &
  Pick<LeafCalls, 'withdrawThrough' | 'join'>

/** What a request of a kind needs now. */
export function stepOf(kind: ReturnRequest['kind'], state: SlotState): ReturnStep {
  switch (kind) {
    case RETURN_KIND.CLOSE:
      return state === 'bound' ? 'begin' : finishOf(state === 'closing')
    case RETURN_KIND.JOIN:
      // A lock on a rest counts for nothing (SPEC §14.4).
      return state === 'refunded' || state === 'withdrawing' || state === 'withdrawn'
        ? 'over'
        : 'begin'
    case RETURN_KIND.REFUND:
      return isUnused(state) ? unusedStep(state) : finishOf(state === 'refunding')
    case RETURN_KIND.WITHDRAW:
      return isUnused(state) ? unusedStep(state) : finishOf(state === 'withdrawing')
  }
}

/** May the end of a slot that somebody has asked back be sent with this? The contract asks for the same session key as before, and for nothing where money is withdrawn. */
export function isFinishSigned(
  pool: Pick<Pool, 'chainId' | 'pool'>,
  request: ReturnRequest,
  { holder }: SlotWord,
): boolean {
  // Who is paid for a withdrawal is on the chain since it was begun.
  if (request.kind !== RETURN_KIND.REFUND && request.kind !== RETURN_KIND.CLOSE) return false
  const { idc, feeTo, signature } = request.destination
  const nullifier = returnNullifier(request)
  const digest = returnDigest(nodeTicketCrypto, pool, { nullifier, idc: numberOf(idc), feeTo })
  const key = nodeTicketCrypto.recover(digest, signature)
  if (!key) return false
  const signer = nodeTicketCrypto.addressOf(key)
  if (request.kind === RETURN_KIND.REFUND) return equalBytes(signer, holder)
  const binding = nodeTicketCrypto.sha256(request.provider, request.sessionKey)
  return equalBytes(signer, request.sessionKey) && equalBytes(binding.subarray(0, 20), holder)
}

/** One call for requests of one kind. */
export function returnCall(
  calls: ReturnCalls,
  step: 'begin' | 'finish',
  requests: readonly ReturnRequest[],
): ContractCall {
  const refunds = requests.filter((each) => each.kind === RETURN_KIND.REFUND)
  const closes = requests.filter((each) => each.kind === RETURN_KIND.CLOSE)
  const withdrawals = requests.filter((each) => each.kind === RETURN_KIND.WITHDRAW)
  const joins = requests.filter((each) => each.kind === RETURN_KIND.JOIN)
  if (refunds.length > 0) {
    const destinations = refunds.map(destinationOf)
    return step === 'begin'
      ? calls.refund(
          refunds.map(({ opening }) => opening),
          destinations,
        )
      : calls.finishRefund(refunds.map(returnNullifier), destinations)
  }
  if (closes.length > 0) {
    const name = step === 'begin' ? 'close' : 'finishClose'
    return calls[name](closes, closes.map(destinationOf))
  }
  if (joins.length > 0)
    return calls.join(
      joins.map(({ rests, idc, ...rest }) => ({
        ...rest,
        rests: rests.filter((each) => !isAllZero(each)),
        idc: numberOf(idc),
      })),
    )
  return step === 'begin'
    ? calls.withdrawThrough(withdrawals, withdrawals)
    : calls.finishWithdraw(withdrawals.map(returnNullifier))
}

function isUnused(state: SlotState): boolean {
  return state === 'none' || state === 'lapsed' || state === 'locked'
}

function unusedStep(state: SlotState): ReturnStep {
  return state === 'locked' ? 'wait' : 'begin'
}

function finishOf(isUnderWay: boolean): ReturnStep {
  return isUnderWay ? 'finish' : 'over'
}

function destinationOf({ destination }: { readonly destination: ReturnDestination }) {
  return { ...destination, idc: numberOf(destination.idc) }
}

/** What a relayer does for a request (SPEC §15.8), given where its slot is, and the calls that do it. */
import type { LeafCalls, PoolCalls } from '@byway/chain'
import { equalBytes, isAllZero } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { ContractCall, SlotState, SlotWord } from '@byway/protocol/payment'
import { numberOf, refundTo, returnDigest, type Pool } from '@byway/protocol/ticket'
import {
  decodePayMessage,
  PAY,
  RETURN_KIND,
  returnNullifier,
  type CloseRequest,
  type RefundRequest,
  type ReturnDestination,
  type ReturnRequest,
} from '@byway/protocol/wire'
import type { HandOver } from '@byway/store'

/** `begin` and `finish` are sent; `wait`: a provider may still bind the slot; `over`: nothing is left to do. */
export type ReturnStep = 'begin' | 'finish' | 'wait' | 'over'

// Local limit (tunable): docs/LIMITS.md.
/** So long a slot has been back before its request is ended: a reorganisation may undo what brought it back, and then it is sent again. */
const SETTLED_S = 3600

/** The calls that take slots back. */
export type ReturnCalls = Pick<
  PoolCalls,
  'refund' | 'finishRefund' | 'close' | 'finishClose' | 'finishWithdraw'
> &
  Pick<LeafCalls, 'withdrawThrough' | 'join'>

/** What was kept; undefined for what no client can have left. */
export function requestOf({ body }: HandOver): ReturnRequest | undefined {
  try {
    const message = decodePayMessage(body)
    const isRequest = message.kind === PAY.RETURN && message.request.kind !== RETURN_KIND.ASK
    return isRequest ? message.request : undefined
  } catch {
    return undefined
  }
}

/** What has not been for long may be undone; a slot without a word has nothing yet that could be old. */
export function isSettled({ state, timeS }: SlotWord, nowS: number): boolean {
  return state !== 'none' && nowS - timeS >= SETTLED_S
}

/** What a request needs now. */
export function stepOf(request: ReturnRequest, word: SlotWord): ReturnStep {
  const { state } = word
  switch (request.kind) {
    case RETURN_KIND.CLOSE:
      return state === 'bound' ? 'begin' : finishOf(state === 'closing')
    case RETURN_KIND.JOIN:
      // A lock on a rest counts for nothing (SPEC §14.4).
      return state === 'refunded' || state === 'withdrawing' || state === 'withdrawn'
        ? 'over'
        : 'begin'
    case RETURN_KIND.REFUND:
      return isUnused(state) ? unusedStep(state) : refundStep(request, word)
    case RETURN_KIND.WITHDRAW:
      return isUnused(state) ? unusedStep(state) : finishOf(state === 'withdrawing')
  }
}

/** Would one call carry out no more than one of the two? */
export function isSameSlot(one: ReturnRequest, other: ReturnRequest): boolean {
  return namesOf(one).some((name) => namesOf(other).some((each) => equalBytes(name, each)))
}

function namesOf(request: ReturnRequest): readonly Uint8Array[] {
  if (request.kind !== RETURN_KIND.JOIN) return [request.nullifier]
  return request.rests.filter((rest) => !isAllZero(rest))
}

/** May the end of a slot that somebody has asked back be sent with this, and is its fee ours? The contract asks a close for the session key's signature; who is paid for any other is on the chain since it was begun. */
export function isFinishOurs(
  pool: Pick<Pool, 'chainId' | 'pool'>,
  request: ReturnRequest,
  word: SlotWord,
): boolean {
  // Its step is to be finished only where the chain names what it names.
  if (request.kind === RETURN_KIND.REFUND) return true
  return request.kind === RETURN_KIND.CLOSE && isCloseSigned(pool, request, word)
}

function isCloseSigned(
  pool: Pick<Pool, 'chainId' | 'pool'>,
  request: CloseRequest,
  { holder }: SlotWord,
): boolean {
  const { nullifier } = request
  const { idc, feeTo, signature } = request.destination
  const digest = returnDigest(nodeTicketCrypto, pool, { nullifier, idc: numberOf(idc), feeTo })
  const key = nodeTicketCrypto.recover(digest, signature)
  if (!key) return false
  const signer = nodeTicketCrypto.addressOf(key)
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
    const named = refunds.map((each) => ({ ...each, idc: numberOf(each.idc) }))
    return step === 'begin' ? calls.refund(named) : calls.finishRefund(named)
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

/** One on its way is finished where it goes where this names; a later attempt sends it here, an earlier one was passed over. */
function refundStep(request: RefundRequest, { state, holder, lastIndex }: SlotWord): ReturnStep {
  if (state !== 'refunding' || request.attempt < lastIndex) return 'over'
  if (request.attempt > lastIndex) return 'begin'
  const named = refundTo(nodeTicketCrypto, { ...request, idc: numberOf(request.idc) })
  return equalBytes(named.holder, holder) ? 'finish' : 'over'
}

function finishOf(isUnderWay: boolean): ReturnStep {
  return isUnderWay ? 'finish' : 'over'
}

function destinationOf({ destination }: { readonly destination: ReturnDestination }) {
  return { ...destination, idc: numberOf(destination.idc) }
}

/** What a slot was bound with: the opening and the ticket stand in the transaction, not in its events. */
import { decodeFunctionData } from 'viem/utils'
import type { Hex } from '@byway/protocol/payment'
import type { ChainView, SlotBind } from './chain-view.ts'
import { POOL_ABI } from './contracts/abi.ts'
import { bytesOf, numberOf, wordOf } from './contracts/bytes.ts'
import { wonEvents, type WonPlace } from './won-events.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Questions for logs, each of as many blocks as an endpoint answers: who asks later than that gets nothing. */
const MAX_LOG_QUESTIONS = 4

/** Creates the reader; it looks back from the newest block. */
export function createBindReader(place: WonPlace): ChainView['bindOf'] {
  const { reader, sources } = place
  return async (nullifier, signal) => {
    for await (const wins of wonEvents(place, [nullifier], MAX_LOG_QUESTIONS, signal)) {
      const first = wins.find((event) => event.wins === 1)
      if (!first) continue
      const call = await reader.callOf(first.transaction, signal)
      return call?.to === sources.pool ? bindIn(call.data, nullifier, first) : undefined
    }
    return undefined
  }
}

/** The entry of a bind that the contract paid: others of the same slot in it were skipped. */
function bindIn(
  data: Hex,
  nullifier: Uint8Array,
  paid: { readonly provider: Uint8Array; readonly index: number },
): SlotBind | undefined {
  const call = decoded(data)
  if (call?.functionName !== 'bind') return undefined
  const [batches] = call.args
  for (const { provider, openings, tickets } of batches)
    for (const [at, opening] of openings.entries()) {
      const ticket = tickets[at]
      const isIt =
        opening.nullifier === numberOf(nullifier) &&
        ticket?.index === paid.index &&
        numberOf(bytesOf(provider)) === numberOf(paid.provider)
      if (isIt) return { provider: paid.provider, ...asBytes(opening, ticket) }
    }
  return undefined
}

type PoolCall = ReturnType<typeof decodeFunctionData<typeof POOL_ABI>>
type Batch = Extract<PoolCall, { readonly functionName: 'bind' }>['args'][0][number]

function decoded(data: Hex): PoolCall | undefined {
  try {
    return decodeFunctionData({ abi: POOL_ABI, data })
  } catch {
    // Of a later contract.
    return undefined
  }
}

function asBytes(
  opening: Batch['openings'][number],
  ticket: Batch['tickets'][number],
): Pick<SlotBind, 'opening' | 'ticket'> {
  const { root, nullifier, sessionKey, receiptKey, proof } = opening
  const { index, amount, reveal, nonce, signature } = ticket
  return {
    opening: {
      root: wordOf(root),
      nullifier: wordOf(nullifier),
      sessionKey: bytesOf(sessionKey.toLowerCase()),
      receiptKey: bytesOf(receiptKey),
      proof: bytesOf(proof),
    },
    ticket: {
      index,
      amount,
      reveal: bytesOf(reveal),
      nonce: bytesOf(nonce),
      signature: bytesOf(signature),
    },
  }
}

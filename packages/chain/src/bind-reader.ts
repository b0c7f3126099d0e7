/** What a slot was bound with: the opening and the ticket stand in the transaction, not in its events. */
import { decodeFunctionData, encodeEventTopics } from 'viem/utils'
import type { Hex } from '@byway/protocol/payment'
import type { ChainReader } from './chain-reader.ts'
import type { ChainView, SlotBind } from './chain-view.ts'
import { POOL_ABI } from './contracts/abi.ts'
import { bytesOf, numberOf, wordOf } from './contracts/bytes.ts'
import { decodeEvent, type EventSources } from './contracts/events.ts'
import { hashOf } from './rpc/parse.ts'
import { MAX_LOG_BLOCKS } from './leaf-reader.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Questions for logs, each of as many blocks as an endpoint answers: who asks later than that gets nothing. */
const MAX_LOG_QUESTIONS = 4

/** Creates the reader; it looks back from the newest block. */
export function createBindReader(
  reader: ChainReader,
  sources: EventSources,
  deployBlock: number,
): ChainView['bindOf'] {
  return async (nullifier, signal) => {
    let { number: to } = await reader.head(signal)
    for (let asked = 0; asked < MAX_LOG_QUESTIONS && to >= deployBlock; asked++) {
      const from = Math.max(deployBlock, to - MAX_LOG_BLOCKS + 1)
      const logs = await reader.logs([sources.pool], from, to, signal, wonTopics(nullifier))
      const first = logs
        .map((log) => decodeEvent(log, sources))
        .find((event) => event?.name === 'won' && event.wins === 1)
      if (first?.name === 'won') {
        const call = await reader.callOf(first.transaction, signal)
        if (call?.to !== sources.pool) return undefined
        return bindIn(call.data, nullifier, first)
      }
      to = from - 1
    }
    return undefined
  }
}

function wonTopics(nullifier: Uint8Array): readonly Hex[] {
  const args = { nullifier: numberOf(nullifier) }
  return encodeEventTopics({ abi: POOL_ABI, eventName: 'Won', args })
    .map(hashOf)
    .filter((topic) => topic !== undefined)
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

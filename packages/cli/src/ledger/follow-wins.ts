/**
 * What the client's ledger is told of its hops' wins: the chain is the witness. All events of the pool are read, never one slot: who asks for a slot tells whose it is.
 */
import type { ChainEvent, ChainView } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import type { ClientMoneyEvent } from '@byway/protocol/ledger'
import type { Store } from '@byway/store'

export type WinsDeps = {
  readonly ledger: Pick<Store['ledger'], 'read' | 'record'>
  readonly chain: Pick<ChainView, 'events'>
  /** Where the pool begins. What was told before is told again, and the ledger has it once. */
  readonly fromBlock: number
  /** Blocks after which an event counts. */
  readonly confirmations: number
  /** What a win takes out of a slot: `V`. */
  readonly winValue: bigint
  readonly nowMs: () => number
}

type Won = Extract<ChainEvent, { readonly name: 'won' }>

/**
 * Tells the ledger of wins out of the client's slots until the signal aborts.
 * @throws CHAIN_REORG_DEPTH, and what the ledger rejects with
 */
export async function followWins(deps: WinsDeps, signal: AbortSignal): Promise<void> {
  const slots = createShownSlots(deps.ledger)
  const young = new Map<string, Won>()
  for await (const news of deps.chain.events(deps.fromBlock, signal)) {
    if (news.type === 'event' && news.event.name === 'won') young.set(idOf(news.event), news.event)
    if (news.type === 'removed' && news.event.name === 'won') {
      const of = idOf(news.event)
      const isTold = !young.delete(of) && (await slots.hopOf(news.event)) !== undefined
      const head = { id: `undo:${of}`, atMs: deps.nowMs() }
      if (isTold) await deps.ledger.record({ ...head, type: 'reversed', of })
    }
    if (news.type !== 'head') continue
    for (const [id, won] of young) {
      if (won.block > news.head.number - deps.confirmations + 1) continue
      young.delete(id)
      const hop = await slots.hopOf(won)
      if (hop !== undefined) await deps.ledger.record(eventOf(id, hop, deps))
    }
  }
}

function eventOf(id: string, hop: string, { winValue, nowMs }: WinsDeps): ClientMoneyEvent {
  return { id, atMs: nowMs(), type: 'slot-won', hop, wins: 1, amount: winValue }
}

/** The same win in another block is another event. */
function idOf({ blockHash, logIndex }: Won): string {
  return `log:${blockHash}:${logIndex}`
}

/** The hops to which slots were shown, as the ledger has them. It is read on from where it was read last. */
function createShownSlots(ledger: WinsDeps['ledger']): {
  hopOf(won: Won): Promise<string | undefined>
} {
  const hops = new Map<string, string>()
  let after = 0
  return {
    async hopOf({ nullifier }) {
      const id = `slot:${toHex(nullifier)}`
      if (hops.has(id)) return hops.get(id)
      for await (const { sequence, event } of ledger.read(after)) {
        after = sequence
        if (event.type === 'slot-shown') hops.set(event.id, event.hop)
      }
      return hops.get(id)
    },
  }
}

/** What the contract says of a side's wins, to be held against its books. All events of the pool are read: who asks for one slot tells whose it is. */
import type { ChainEvent, ChainView } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import type { Found, LedgerSide, MoneyEvent } from '@byway/protocol/ledger'
import { readPurseFile } from '@byway/purse'
import type { PurseChain } from '../wallet/purse-chain.ts'
import { walletError } from '../wallet/wallet-errors.ts'
import { heldPerWin } from './held-back.ts'

// Local limit (tunable): docs/LIMITS.md.
/** All events of a pool are read, through two endpoints. */
const CHAIN_TIMEOUT_MS = 120_000
/** Through nodes each few thousand blocks are a question over a circuit. */
const THROUGH_TIMEOUT_MS = 1_800_000
/** Of a win, burned by the contract (SPEC §14.3), in hundredths. */
const BURNED_PERCENT = 5n

/** Gathers what the chain is asked for while the books are read. */
export interface ChainSide {
  /** Told each event of the books. */
  note(event: MoneyEvent): void
  /** @throws WALLET_NO_PAYMENT, PURSE_MISSING, CHAIN_UNREACHABLE, CHAIN_DISAGREE, and what opening the chain throws */
  find(signal: AbortSignal): Promise<readonly Found[]>
}

/** Creates it for one side of a state folder; `open` is asked for the chain once there is something to ask. */
export function createChainSide(
  home: string,
  side: LedgerSide,
  network: NetworkParameters | undefined,
  open: (network: NetworkParameters) => Promise<PurseChain>,
): ChainSide {
  const shown = new Set<string>()
  return {
    note(event) {
      if (event.type === 'slot-shown') shown.add(event.id)
    },
    async find(signal) {
      if (!network?.payment) throw walletError('WALLET_NO_PAYMENT', {})
      const { payment } = network
      const { chain, chainOf, isThrough } = await open(network)
      const timeoutMs = isThrough ? THROUGH_TIMEOUT_MS : CHAIN_TIMEOUT_MS
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const { winValue, deployBlock, confirmations } = payment
      const seen = await eventsUntil(chain.view, deployBlock, confirmations, limit)
      if (side === 'client') return clientFound(seen.deep.filter(isWon), shown, winValue)
      const { provider } = await readPurseFile(home)
      const { view } = chainOf('provider')
      return nodeFound(seen, provider, { view, winValue, held: heldPerWin(payment) }, limit)
    },
  }
}

type Won = Extract<ChainEvent, { readonly name: 'won' }>

/** What became of what was held back. */
type Settled = Extract<
  ChainEvent,
  { readonly name: 'held-released' | 'held-burned' | 'held-lost' | 'held-fee' }
>

/** Events in blocks that are deep enough for the books, and the others. */
type SeenSoFar = {
  readonly deep: readonly (Won | Settled)[]
  readonly young: readonly (Won | Settled)[]
}

const isWon = (event: ChainEvent): event is Won => event.name === 'won'
const isSettled = (event: ChainEvent): event is Settled =>
  event.name === 'held-released' ||
  event.name === 'held-burned' ||
  event.name === 'held-lost' ||
  event.name === 'held-fee'

async function eventsUntil(
  view: Pick<ChainView, 'head' | 'events'>,
  fromBlock: number,
  confirmations: number,
  signal: AbortSignal,
): Promise<SeenSoFar> {
  const { number: head } = await view.head(signal)
  const seen = new Map<string, Won | Settled>()
  for await (const news of view.events(fromBlock, signal)) {
    if (news.type === 'head' && news.head.number >= head) break
    if (news.type !== 'event' && news.type !== 'removed') continue
    if (!isWon(news.event) && !isSettled(news.event)) continue
    const id = `${news.event.blockHash}:${news.event.logIndex}`
    if (news.type === 'event') seen.set(id, news.event)
    else seen.delete(id)
  }
  signal.throwIfAborted()
  const isDeep = ({ block }: ChainEvent): boolean => block <= head - confirmations + 1
  const all = [...seen.values()]
  return { deep: all.filter(isDeep), young: all.filter((each) => !isDeep(each)) }
}

/** What the pool owes to a provider, and its stake, are asked for: fees of locks leave no event. */
async function nodeFound(
  { deep, young }: SeenSoFar,
  provider: Uint8Array,
  {
    view,
    winValue,
    held,
  }: {
    readonly view: Pick<ChainView, 'credit' | 'registration'>
    readonly winValue: bigint
    readonly held: bigint
  },
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const isOwn = (event: Won | Settled): boolean => toHex(event.provider) === toHex(provider)
  const own = deep.filter(isOwn)
  const wins = BigInt(own.filter(isWon).length)
  const early = sumOf(young.filter(isOwn).filter(isWon), ({ paid }) => paid)
  const settled = own.filter(isSettled)
  const heldBurned = sumOf(
    settled.filter(({ name }) => name === 'held-burned' || name === 'held-lost'),
    ({ amount }) => amount,
  )
  const heldBack = wins * held - sumOf(settled, ({ amount }) => amount)
  const purse = (await view.credit(provider, signal)) - early
  const stake = (await view.registration(provider, signal))?.stake ?? 0n
  const burned = (wins * winValue * BURNED_PERCENT) / 100n + heldBurned
  return [
    { commodity: 'wins', name: 'paid', amount: wins, source: 'chain' },
    { commodity: 'money', name: 'purse', amount: purse, source: 'chain' },
    { commodity: 'money', name: 'stake', amount: stake, source: 'chain' },
    { commodity: 'money', name: 'held back', amount: heldBack, source: 'chain' },
    { commodity: 'money', name: 'fees burned', amount: burned, source: 'chain' },
  ]
}

function clientFound(
  won: readonly Won[],
  shown: ReadonlySet<string>,
  winValue: bigint,
): readonly Found[] {
  const own = won.filter(({ nullifier }) => shown.has(`slot:${toHex(nullifier)}`))
  const wins = BigInt(own.length)
  return [
    { commodity: 'wins', name: 'paid', amount: wins, source: 'chain' },
    { commodity: 'money', name: 'won by hops', amount: wins * winValue, source: 'chain' },
  ]
}

function sumOf<Item>(items: readonly Item[], amountOf: (item: Item) => bigint): bigint {
  return items.reduce((sum, item) => sum + amountOf(item), 0n)
}

/** What the contract says of a side's wins, to be held against its books. All events of the pool are read: who asks for one slot tells whose it is. */
import { openChain, type ChainEvent, type ChainView } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import type { Found, LedgerSide, MoneyEvent } from '@byway/protocol/ledger'
import { readPurseFile } from '@byway/purse'
import { walletError } from '../wallet/wallet-errors.ts'

// Local limit (tunable): docs/LIMITS.md.
/** All events of a pool are read, through two endpoints. */
const CHAIN_TIMEOUT_MS = 120_000
/** Of a win, burned by the contract (SPEC §14.3), in hundredths. */
const BURNED_PERCENT = 5n

/** Gathers what the chain is asked for while the books are read. */
export interface ChainSide {
  /** Told each event of the books. */
  note(event: MoneyEvent): void
  /** @throws WALLET_NO_PAYMENT, PURSE_MISSING, CHAIN_UNREACHABLE, CHAIN_DISAGREE */
  find(signal: AbortSignal): Promise<readonly Found[]>
}

/** Creates it for one side of a state folder. */
export function createChainSide(
  home: string,
  side: LedgerSide,
  network: NetworkParameters | undefined,
): ChainSide {
  const shown = new Set<string>()
  return {
    note(event) {
      if (event.type === 'slot-shown') shown.add(event.id)
    },
    async find(signal) {
      if (!network?.payment) throw walletError('WALLET_NO_PAYMENT', {})
      const { payment, local: isLocal } = network
      const limit = AbortSignal.any([signal, AbortSignal.timeout(CHAIN_TIMEOUT_MS)])
      const { view } = openChain({ payment, isLocal, onAlert: () => {} })
      const { winValue, deployBlock, confirmations } = payment
      const won = await winsUntil(view, deployBlock, confirmations, limit)
      if (side === 'client') return clientFound(won.deep, shown, winValue)
      const { provider } = await readPurseFile(home)
      return nodeFound(won, provider, { view, winValue }, limit)
    },
  }
}

type Won = Extract<ChainEvent, { readonly name: 'won' }>

/** Wins in blocks that are deep enough for the books, and the others. */
type WonSoFar = { readonly deep: readonly Won[]; readonly young: readonly Won[] }

async function winsUntil(
  view: ChainView,
  fromBlock: number,
  confirmations: number,
  signal: AbortSignal,
): Promise<WonSoFar> {
  const { number: head } = await view.head(signal)
  const won = new Map<string, Won>()
  for await (const news of view.events(fromBlock, signal)) {
    if (news.type === 'head' && news.head.number >= head) break
    if (news.type !== 'event' && news.type !== 'removed') continue
    if (news.event.name !== 'won') continue
    const id = `${news.event.blockHash}:${news.event.logIndex}`
    if (news.type === 'event') won.set(id, news.event)
    else won.delete(id)
  }
  signal.throwIfAborted()
  const isDeep = ({ block }: Won): boolean => block <= head - confirmations + 1
  const all = [...won.values()]
  return { deep: all.filter(isDeep), young: all.filter((each) => !isDeep(each)) }
}

/** What the pool owes to a provider, and its stake, are asked for: fees of locks leave no event. */
async function nodeFound(
  { deep, young }: WonSoFar,
  provider: Uint8Array,
  { view, winValue }: { readonly view: ChainView; readonly winValue: bigint },
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const isOwn = (event: Won): boolean => toHex(event.provider) === toHex(provider)
  const wins = BigInt(deep.filter(isOwn).length)
  const early = young.filter(isOwn).reduce((sum, event) => sum + event.paid, 0n)
  const purse = (await view.credit(provider, signal)) - early
  const stake = (await view.registration(provider, signal))?.stake ?? 0n
  const burned = (wins * winValue * BURNED_PERCENT) / 100n
  return [
    { commodity: 'wins', name: 'paid', amount: wins, source: 'chain' },
    { commodity: 'money', name: 'purse', amount: purse, source: 'chain' },
    { commodity: 'money', name: 'stake', amount: stake, source: 'chain' },
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

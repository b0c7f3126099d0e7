/** The books of a whole paid network, read as its owners would (`byway ledger --json`), beside what the contract did. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { openChain, type ChainEvent, type ChainView } from '../../packages/chain/src/index.ts'
import { fromHex, toHex } from '../../packages/protocol/src/base/index.ts'
import type { PaymentParameters } from '../../packages/protocol/src/directory/index.ts'
import type { ProcessNetwork } from '../../packages/testnet/src/index.ts'
import { openPurse } from '../../packages/purse/src/index.ts'
import { PROGRAM } from '../../packages/cli/test/running-byway.ts'

const run = promisify(execFile)
const [EXECUTABLE, ...BEFORE] = PROGRAM
/** Thousands of entries of a long run. */
const MAX_OUTPUT_BYTES = 256 * 2 ** 20

const CHAIN_TIMEOUT_MS = 30_000
/** Of a win, burned by the contract (SPEC §14.3), in hundredths. */
const BURNED_PERCENT = 5n
/** The same, held back until its epoch's commitment has stood (SPEC §17.5): longer than any run here. */
const HELD_PERCENT = 5n

/** What one side says of the tickets of one hop. */
export type TicketCount = {
  readonly tickets: bigint
  readonly amount: bigint
  /** What they pay for. */
  readonly bytes: bigint
}

/** What one side says of the service of one hop. */
export type ServiceCount = {
  /** Bandwidth tokens, spent by the client, redeemed by the hop. */
  readonly tokens: bigint
  /** Bytes of circuits and tunnels that tokens covered, weighed by their class (SPEC §15.4). */
  readonly bytes: bigint
}

const KINDS = ['bandwidth', 'admission', 'bulk'] as const
type Kind = (typeof KINDS)[number]

/** What one side says of the tokens of one hop, kind by kind: bought or sold, and spent or redeemed. */
export type TokenCounts = Readonly<Record<Kind, { readonly sold: bigint; readonly used: bigint }>>

export type NodeBooks = TicketCount & {
  readonly id: string
  readonly tokens: TokenCounts
  /** `exitBytes`: of these what went through it as an exit. */
  readonly service: ServiceCount & { readonly exitBytes: bigint }
  readonly wins: bigint
  readonly open: bigint
  readonly lost: bigint
  /** What the wins paid into the purse, and what of them was burned. */
  readonly received: bigint
  readonly burned: bigint
  readonly heldBack: bigint
  /** The contract's side: wins that this provider was paid, what came of them, and its credit. */
  readonly chain: { readonly wins: bigint; readonly paid: bigint; readonly credit: bigint }
  readonly isSound: boolean
}

/** What the client says of a hop. */
export type HopCount = TicketCount & {
  readonly won: bigint
  readonly service: ServiceCount
  readonly tokens: TokenCounts
}

export type AllBooks = {
  readonly winValue: bigint
  /**
   * Of redeemers, by the nodes' books: what those without gas paid, how much of it out of wins (the rest is from stakes), and what the others earned, of which the client paid its part for
   * slots that came back.
   */
  readonly fees: {
    readonly paid: bigint
    readonly ofWins: bigint
    readonly ofReturns: bigint
    readonly earned: bigint
  }
  readonly client: {
    readonly hops: ReadonlyMap<string, HopCount>
    readonly isSound: boolean
    readonly problems: string
  }
  readonly nodes: readonly NodeBooks[]
  readonly chain: {
    readonly wins: number
    readonly paid: bigint
    readonly deposited: bigint
    readonly poolBalance: bigint
  }
}

/** Reads all of it. */
export async function readAllBooks(network: ProcessNetwork): Promise<AllBooks> {
  const { payment } = network
  if (!payment) throw new Error('nothing is paid in this network')
  const client = await readLedger(network.clientHome, 'client', network.networkFile)
  const found: { readonly id: string; readonly ledger: Ledger; readonly provider: string }[] = []
  for (const node of network.nodes) {
    const ledger = await readLedger(node.home, 'node', network.networkFile)
    await using purse = await openPurse(node.home, { isLocal: true, rules: payment })
    found.push({ id: node.id, ledger, provider: toHex(purse.accounts.provider) })
  }
  const signal = AbortSignal.timeout(CHAIN_TIMEOUT_MS)
  const { view } = openChain({ payment, isLocal: true, onAlert: () => {} })
  const events = await eventsUpToNow(view, payment.deployBlock, signal)
  const won = events.filter((event) => event.name === 'won')
  const nodes: NodeBooks[] = []
  for (const { id, ledger, provider } of found) {
    const own = won.filter((event) => toHex(event.provider) === provider)
    const credit = await view.credit(fromHex(provider) ?? new Uint8Array(20), signal)
    nodes.push({
      id,
      service: {
        tokens: ledger.total('bandwidth tokens', 'redeemed'),
        bytes: ledger.served('exiting') + ledger.served('relaying'),
        exitBytes: ledger.served('exiting'),
      },
      tickets: ledger.total('tickets', 'received'),
      amount: ledger.total('expected', 'from tickets'),
      bytes: -ledger.total('bytes', 'sold'),
      tokens: tokensOf((kind) => ({
        sold: -ledger.total(`${kind} tokens`, 'issued'),
        used: ledger.total(`${kind} tokens`, 'redeemed'),
      })),
      wins: ledger.total('wins', 'paid'),
      open: ledger.total('wins', 'unredeemed') + ledger.total('wins', 'claimed'),
      lost: ledger.total('wins', 'lost'),
      received: ledger.total('money', 'purse'),
      burned: ledger.total('money', 'fees burned'),
      heldBack: ledger.total('money', 'held back'),
      chain: { wins: BigInt(own.length), paid: own.reduce((sum, e) => sum + e.paid, 0n), credit },
      isSound: ledger.isSound,
    })
  }
  const inBooks = (...accounts: readonly string[]): bigint =>
    found
      .flatMap(({ ledger }) => accounts.map((name) => ledger.total('money', name)))
      .reduce((total, each) => total + each, 0n)
  const feesPaid = inBooks('redeemer fees')
  const earned = -inBooks('wins of others')
  // Earned fees go on to their owners, outside. What came in as stake and is neither there nor slashed went for fees.
  const moved = earned - inBooks('fees earned')
  const ofStakes = moved - inBooks('outside', 'stake', 'slashed')
  return {
    winValue: payment.winValue,
    fees: {
      paid: feesPaid,
      ofWins: feesPaid - ofStakes,
      ofReturns: client.total('money', 'relayer fees'),
      earned,
    },
    client: { hops: client.hops, isSound: client.isSound, problems: client.problems },
    nodes,
    chain: {
      wins: won.length,
      paid: won.reduce((sum, { paid }) => sum + paid, 0n),
      // What comes back makes leaves too, of money that was counted before.
      deposited: -client.total('money', 'outside'),
      poolBalance: await heldByContracts(view, payment, signal),
    },
  }
}

/** By the pool, and of what it held back by the contract of service proofs. */
async function heldByContracts(
  view: ChainView,
  { pool, proofs }: PaymentParameters,
  signal: AbortSignal,
): Promise<bigint> {
  const { contract = pool } = proofs ?? {}
  const [ofPool, ofProofs] = await Promise.all(
    [pool, contract].map((each) => view.tokenBalance(each, signal)),
  )
  return (ofPool ?? 0n) + (contract === pool ? 0n : (ofProofs ?? 0n))
}

/** Everything that two of them say differently, in words. Empty when all agree. */
export function compareBooks({
  client,
  nodes,
  chain,
  fees,
  winValue,
}: AllBooks): readonly string[] {
  const noTokens = tokensOf(() => ({ sold: 0n, used: 0n }))
  const none = { tickets: 0n, amount: 0n, bytes: 0n, won: 0n, tokens: noTokens }
  const ofNodes = nodes.flatMap((node) => {
    const who = node.id.slice(0, 8)
    const sent = client.hops.get(node.id) ?? none
    return [
      differ(`${who} tickets: client, node`, sent.tickets, node.tickets),
      differ(`${who} worth: client, node`, sent.amount, node.amount),
      differ(`${who} bytes paid for: client, node`, sent.bytes, node.bytes),
      ...KINDS.flatMap((kind) => [
        differ(
          `${who} ${kind} tokens: bought, sold`,
          sent.tokens[kind].sold,
          node.tokens[kind].sold,
        ),
        differ(
          `${who} ${kind} tokens: spent, redeemed`,
          sent.tokens[kind].used,
          node.tokens[kind].used,
        ),
      ]),
      differ(`${who} open wins`, node.open, 0n),
      differ(`${who} lost wins`, node.lost, 0n),
      differ(`${who} wins: node, chain`, node.wins, node.chain.wins),
      node.received <= node.chain.paid ? undefined : `${who} has more than the wins paid`,
      differ(`${who} received: node, credit`, node.received, node.chain.credit),
      differ(
        `${who} burned: node, chain`,
        node.burned,
        (node.chain.wins * winValue * BURNED_PERCENT) / 100n,
      ),
      differ(
        `${who} held back: node, chain`,
        node.heldBack,
        (node.chain.wins * winValue * HELD_PERCENT) / 100n,
      ),
      differ(`${who} won: client, chain`, sent.won, node.chain.wins * winValue),
      node.isSound ? undefined : `${who} the node's books do not balance`,
    ]
  })
  return [
    ...ofNodes,
    // Nothing was paid out and nothing was burned for good: all that was put in is still there, but for what redeemers got.
    differ(
      'pool: balance, deposits',
      chain.poolBalance + fees.ofWins + fees.ofReturns,
      chain.deposited,
    ),
    differ('fees of redeemers: paid, earned', fees.paid + fees.ofReturns, fees.earned),
    client.isSound ? undefined : `the client's books do not balance: ${client.problems}`,
  ].filter((text) => text !== undefined)
}

/** For people. */
export function tableOf({ client, nodes, chain, winValue }: AllBooks): readonly string[] {
  const rows = nodes.map((node) => {
    const sent = client.hops.get(node.id)
    return [
      node.id.slice(0, 8),
      node.bytes / 2n ** 20n,
      `${sent?.tickets ?? 0n}/${node.tickets}`,
      `${sent?.amount ?? 0n}/${node.amount}`,
      `${node.wins}/${node.chain.wins}`,
      `${node.received}/${node.chain.credit}`,
      node.burned,
    ].join('  ')
  })
  const tokens = KINDS.map((kind) => {
    const sum = (what: 'sold' | 'used'): bigint =>
      nodes.reduce((total, node) => total + node.tokens[kind][what], 0n)
    return `${sum('sold')} ${kind} tokens sold, ${sum('used')} redeemed`
  })
  const expected = nodes.reduce((sum, { amount }) => sum + amount, 0n)
  return [
    'hop  MiB  tickets client/node  worth client/node  wins node/chain  purse node/credit  burned',
    ...rows,
    tokens.join('; '),
    `tickets were worth ${expected}; ${chain.wins} wins of ${winValue} paid ${chain.paid} after the fee; the pool holds ${chain.poolBalance} of ${chain.deposited}`,
  ]
}

function tokensOf(count: (kind: Kind) => TokenCounts[Kind]): TokenCounts {
  return { bandwidth: count('bandwidth'), admission: count('admission'), bulk: count('bulk') }
}

function differ(what: string, a: bigint, b: bigint): string | undefined {
  return a === b ? undefined : `${what}: ${a}, ${b}`
}

/** All that the contracts have told until now. */
async function eventsUpToNow(
  view: ChainView,
  fromBlock: number,
  signal: AbortSignal,
): Promise<readonly ChainEvent[]> {
  const { number: last } = await view.head(signal)
  const events: ChainEvent[] = []
  for await (const news of view.events(fromBlock, signal)) {
    if (news.type === 'event') events.push(news.event)
    if (news.type === 'head' && news.head.number >= last) break
  }
  return events
}

type Ledger = {
  total(commodity: string, account: string): bigint
  /** Of a node, for pay. */
  served(how: 'exiting' | 'relaying'): bigint
  readonly hops: ReadonlyMap<string, HopCount>
  readonly isSound: boolean
  readonly problems: string
}

type EntryLine = {
  readonly commodity: string
  readonly account: string
  readonly hop?: string
  readonly amount: string
}

/** Without what was set for the tests: to `byway` an unknown `BYWAY_…` is an error. */
function ownEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('BYWAY_'))
  return Object.fromEntries(kept)
}

/** Runs `byway ledger` against the running program and adds its entries up again. */
async function readLedger(home: string, side: string, networkFile: string): Promise<Ledger> {
  const args = [
    'ledger',
    '--json',
    '--chain',
    '--side',
    side,
    '--home',
    home,
    '--network',
    networkFile,
  ]
  const { stdout } = await run(EXECUTABLE, [...BEFORE, ...args], {
    maxBuffer: MAX_OUTPUT_BYTES,
    env: ownEnv(),
  })
  const lines = stdout.trimEnd().split('\n')
  const summary = JSON.parse(lines.pop() ?? '{}') as {
    isSound: boolean
    overdrafts: unknown
    rejected: unknown
    chain: { readonly agrees: boolean }
  }
  const sums = new Map<string, bigint>()
  const hops = new Set<string>()
  for (const text of lines) {
    const entry = JSON.parse(text) as { type: string; lines: readonly EntryLine[] }
    for (const { commodity, account, hop, amount } of entry.lines) {
      if (hop !== undefined) hops.add(hop)
      const whole = `${commodity}/${account}`
      // By the kind of event too: an account is left in more ways than one.
      for (const name of [
        whole,
        `${whole}/${hop}`,
        `${entry.type}:${whole}`,
        `${entry.type}:${whole}/${hop}`,
      ]) {
        sums.set(name, (sums.get(name) ?? 0n) + BigInt(amount))
      }
    }
  }
  const of = (name: string): bigint => sums.get(name) ?? 0n
  return {
    total: (commodity, account) => of(`${commodity}/${account}`),
    served: (how) => -of(`carried:bytes/owed by ${how}`),
    hops: new Map(
      Array.from(hops, (hop) => [
        hop,
        {
          tickets: of(`tickets/sent/${hop}`),
          amount: of(`expected/spent on tickets/${hop}`),
          bytes: -of(`bytes/bought/${hop}`),
          won: of(`money/won by hops/${hop}`),
          tokens: tokensOf((kind) => ({
            sold: -of(`${kind} tokens/bought/${hop}`),
            used: of(`${kind} tokens/spent/${hop}`),
          })),
          service: {
            tokens: of(`bandwidth tokens/spent/${hop}`),
            bytes: -of(`used:bytes/ahead on circuits/${hop}`),
          },
        },
      ]),
    ),
    isSound: summary.isSound && summary.chain.agrees,
    problems: JSON.stringify([summary.overdrafts, summary.rejected, summary.chain]),
  }
}

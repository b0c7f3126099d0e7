/**
 * The chain as a command sees it through the client that runs (SPEC §15.9): its nodes are asked over that client's circuits, and two must agree; what would name the user's slots or leaves is
 * taken from what the client reads whole. No endpoint hears of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openChainOverNodes, type AskNode, type Chain, type ChainSeat } from '@byway/chain'
import type { AskedFor } from '@byway/client'
import { fromHex, isBywayError, toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { SLOT_STATES, type DepositLeaf, type SlotState } from '@byway/protocol/payment'
import { CHAIN_VERDICT, type ChainVerdict } from '@byway/protocol/wire'
import { askText, MAX_SLOTS_ASKED, slotsText } from '../control/chain-questions.ts'
import { controlError } from '../control/control-errors.ts'
import { askControl, type ControlQuestion } from '../control/control-socket.ts'
import type { JsonObject } from '../output.ts'
import { walletError } from './wallet-errors.ts'

/** A chain that is asked about no account of the user's: {@link ClientChain.chainOf} is, each account by itself. */
export type NamelessChain = {
  readonly reader: Chain['reader']
  readonly view: Omit<Chain['view'], AccountQuestion>
}
type AccountQuestion =
  | 'registration'
  | 'held'
  | 'credit'
  | 'tokenBalance'
  | 'tokenAllowance'
  | 'gasBalance'
  | 'eventsOf'
  | 'senderOf'

/** A chain, and where slots are in their lives by a way that names them to nobody else. */
export type ClientChain = {
  /** For what names no account. */
  readonly chain: NamelessChain
  /** For what names this account of the purse: nobody who is asked learns which other is the same person's. */
  readonly chainOf: (account: PurseAccount) => Chain
  readonly slotStates: (
    nullifiers: readonly Uint8Array[],
    signal: AbortSignal,
  ) => Promise<readonly SlotState[]>
}

/** Whose questions are kept apart. The registry shows a provider and its owner together. */
export type PurseAccount = Exclude<AskedFor, 'nobody'>

/** What there is: a chain through the client, or why not. */
export type ClientChainFound =
  | { readonly way: 'client'; readonly opened: ClientChain }
  | { readonly way: 'no-client' | 'other-network' | 'direct' }

export type ClientChainOptions = {
  readonly home: string
  readonly payment: PaymentParameters
  readonly isLocal: boolean
  /** Called once when the client has no circuits yet and is waited for. */
  readonly onWait: () => void
  readonly signal: AbortSignal
}

// Local limits (tunable): docs/LIMITS.md.
/** A client that starts has its directory by then. */
const START_PATIENCE_MS = 120_000
const START_LOOK_MS = 200
/** Of one question: a node that is left is followed by another, and a client that was asked too soon knows more. */
const MAX_TRIES = 3
const TRY_AGAIN_MS = 500
/** Between two looks at what happened: each is a question to every node that is asked. */
const FOLLOW_MS = 15_000
const LOCAL_FOLLOW_MS = 1000

/** Looks for it. @throws WALLET_CLIENT_STARTING, CONTROL_NO_ANSWER, or the signal's reason */
export async function findClientChain(options: ClientChainOptions): Promise<ClientChainFound> {
  const { home, payment, onWait, signal } = options
  const deadlineMs = performance.now() + START_PATIENCE_MS
  for (let looks = 0; performance.now() < deadlineMs; looks++) {
    const about = await aboutOf(home, signal)
    if (!about) return { way: 'no-client' }
    const isSame = about['chainId'] === payment.chainId && about['pool'] === toHex(payment.pool)
    if (!isSame) return { way: 'other-network' }
    if (about['isDirect'] === true) return { way: 'direct' }
    const seats = Number(about['seats'])
    if (seats > 0) return { way: 'client', opened: openThrough(options, seats) }
    if (looks === 0) onWait()
    await sleep(START_LOOK_MS, undefined, { signal })
  }
  throw walletError('WALLET_CLIENT_STARTING', {})
}

/** Undefined where none runs; of one that pays nobody it is empty. */
async function aboutOf(home: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  try {
    return await askControl(home, 'client', 'chain about', signal)
  } catch (error) {
    if (isBywayError(error) && error.code === 'CONTROL_NOT_RUNNING') return undefined
    throw error
  }
}

function openThrough({ home, payment, isLocal }: ClientChainOptions, count: number): ClientChain {
  const ask: Ask = (question, signal) => askControl(home, 'client', question, signal)
  const askOwn: Ask = (question, signal) => patiently(() => ask(question, signal), signal)
  const followMs = isLocal ? LOCAL_FOLLOW_MS : FOLLOW_MS
  const open = (account: AskedFor): Chain => {
    const seats = Array.from({ length: count }, (_, at) => seatOf(ask, account, at))
    const { reader, view } = openChainOverNodes({ payment, isLocal, followMs, seats })
    return {
      reader,
      view: {
        ...view,
        leaves: (from, signal) => leavesOf(askOwn, from, signal),
        // Nodes hear of no slot by name.
        slot: () => Promise.reject(walletError('WALLET_CLIENT_RUNS', {})),
      },
    }
  }
  const chains = { funds: open('funds'), provider: open('provider') }
  return {
    chain: open('nobody'),
    chainOf: (account) => chains[account],
    slotStates: (nullifiers, signal) => statesOf(askOwn, nullifiers, signal),
  }
}

type Ask = (question: ControlQuestion, signal: AbortSignal) => Promise<JsonObject>

function seatOf(ask: Ask, account: AskedFor, at: number): ChainSeat {
  const askOnce: AskNode = async (question, signal) => {
    const { verdict, body } = await ask(askText(account, at, question), signal)
    const bytes = typeof body === 'string' ? fromHex(body) : undefined
    if (!isVerdict(verdict) || !bytes)
      throw controlError('CONTROL_NO_ANSWER', { program: 'client' })
    return { verdict, body: bytes }
  }
  return {
    ask: (question, signal) =>
      patiently(
        () => askOnce(question, signal),
        signal,
        ({ verdict }) => PASSING.has(verdict),
      ),
    // Nobody waits for it: the next question finds other nodes.
    replace: () =>
      void ask(`chain leave ${account}`, AbortSignal.timeout(START_PATIENCE_MS)).catch(() => {}),
  }
}

/** Asks again what failed, or may say something else a moment later. */
async function patiently<Told>(
  ask: () => Promise<Told>,
  signal: AbortSignal,
  isPassing: (told: Told) => boolean = () => false,
): Promise<Told> {
  for (let tries = 1; tries < MAX_TRIES; tries++) {
    try {
      const told = await ask()
      if (!isPassing(told)) return told
    } catch {
      signal.throwIfAborted()
    }
    await sleep(TRY_AGAIN_MS * tries, undefined, { signal })
  }
  return await ask()
}

/** Of this moment. */
const PASSING: ReadonlySet<ChainVerdict> = new Set([
  CHAIN_VERDICT.TRY_LATER,
  CHAIN_VERDICT.CHAIN_AWAY,
])

function isVerdict(value: unknown): value is ChainVerdict {
  return Object.values(CHAIN_VERDICT).some((verdict) => verdict === value)
}

async function leavesOf(
  ask: Ask,
  from: number,
  signal: AbortSignal,
): Promise<readonly DepositLeaf[]> {
  const all: DepositLeaf[] = []
  for (let next: unknown = from; typeof next === 'number';) {
    const page = await ask(`chain leaves ${next}`, signal)
    const rows: readonly unknown[] = Array.isArray(page['leaves']) ? page['leaves'] : []
    all.push(...rows.map((row, at) => leafOf(row, from + all.length + at)))
    next = page['next']
  }
  return all
}

function leafOf(row: unknown, index: number): DepositLeaf {
  const [leaf, idc, limit]: readonly unknown[] = Array.isArray(row) ? row : []
  const isWhole = typeof leaf === 'string' && typeof idc === 'string' && typeof limit === 'number'
  if (!isWhole) throw controlError('CONTROL_NO_ANSWER', { program: 'client' })
  return { index, leaf: BigInt(leaf), idc: BigInt(idc), limit }
}

async function statesOf(
  ask: Ask,
  nullifiers: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<readonly SlotState[]> {
  const all: SlotState[] = []
  for (let at = 0; at < nullifiers.length; at += MAX_SLOTS_ASKED) {
    const some = nullifiers.slice(at, at + MAX_SLOTS_ASKED)
    const { states } = await ask(slotsText(some), signal)
    const known: readonly unknown[] = Array.isArray(states) ? states : []
    if (known.length !== some.length || !known.every(isState)) {
      throw controlError('CONTROL_NO_ANSWER', { program: 'client' })
    }
    all.push(...known)
  }
  return all
}

const STATES: ReadonlySet<unknown> = new Set(SLOT_STATES)

function isState(value: unknown): value is SlotState {
  return STATES.has(value)
}

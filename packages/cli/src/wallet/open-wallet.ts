/** What commands with money work with: the network's chain, the open purse, and a lane to send with. */
import {
  createPoolCalls,
  createTokenCalls,
  createTransactionLane,
  keepLooking,
  type PoolCalls,
  type TokenCalls,
} from '@byway/chain'
import { forgetIfLost } from '../engine/own-store.ts'
import { openPurse, type PayingAccount, type Purse, type SignerRules } from '@byway/purse'
import type { PaymentParameters } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { equalBytes, isBywayError } from '@byway/protocol/base'
import type {
  ContractCall,
  StoredTransaction,
  TransactionReceipt,
  TransactionSigner,
} from '@byway/protocol/payment'
import { createPool, type Pool } from '@byway/protocol/ticket'
import { loadConfig } from '../config/load-config.ts'
import { stateFolder } from '../engine/engine-options.ts'
import { openOwnStore } from '../engine/own-store.ts'
import type { CliIo } from '../io.ts'
import { openNetwork } from '../network/open-network.ts'
import { createOutput } from '../output.ts'
import { readPassphrase } from './ask-passphrase.ts'
import type { ClientChain, PurseAccount } from './client-chain.ts'
import { openPurseChain } from './purse-chain.ts'
import { walletError } from './wallet-errors.ts'

export type WalletFlags = {
  readonly home?: string | undefined
  readonly network?: string | undefined
  /** No endpoint is asked: without a client that runs the command fails. */
  readonly viaClient?: boolean | undefined
}

/** A network in which something is paid. */
export type PaidNetwork = {
  readonly home: string
  readonly name: string
  readonly isLocal: boolean
  readonly payment: PaymentParameters
  readonly pool: Pool
  /** For what names no account of the purse. */
  readonly chain: ClientChain['chain']
  /** For what names this one. */
  readonly chainOf: ClientChain['chainOf']
  /** Where slots are in their lives, in the order of their nullifiers. */
  readonly slotStates: ClientChain['slotStates']
  /** True where the running client's nodes are asked, false where the endpoints are. */
  readonly isThrough: boolean
  readonly poolCalls: PoolCalls
  readonly tokenCalls: TokenCalls
}

/** An open purse in a network. */
export type Wallet = AsyncDisposable &
  PaidNetwork & {
    readonly purse: Purse
    /** For what opens the keystore again: vouchers. Undefined in a local network whose purse has none. */
    readonly passphrase: string | undefined
  }

/** What few commands want. */
export type WalletSpecials = {
  /** Puts a bond on a challenge. */
  readonly mayChallenge?: boolean | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** The most that a unit of gas may cost in a command, wei: 5 gwei. A person sees what it comes to, and may wait. */
const FEE_CAP_WEI = 5_000_000_000n
/** On a chain of this machine coin is worth nothing, and anvil begins at 1 gwei. */
const LOCAL_FEE_CAP_WEI = 100_000_000_000n
/** Between two looks for a transaction: a block of the chains that we know. */
const LOOK_EVERY_MS = 1000
const LOCAL_LOOK_EVERY_MS = 50
/** Each look is a question to every node that is asked. */
const THROUGH_LOOK_EVERY_MS = 5000
const LOCAL_THROUGH_LOOK_EVERY_MS = 250

/** A network as its file says, before anybody is asked anything. */
export type KnownNetwork = Omit<PaidNetwork, 'chain' | 'chainOf' | 'slotStates' | 'isThrough'>

/**
 * Reads the network that the flags, the configuration or the state folder name.
 * @throws WALLET_NO_PAYMENT, and what reading the files throws
 */
export async function readPaidNetwork(flags: WalletFlags, io: CliIo): Promise<KnownNetwork> {
  const home = stateFolder(flags, io)
  const env = { ...io.env, BYWAY_HOME: home }
  const config = await loadConfig({ env, flags: { networkFile: flags.network } })
  const network = await openNetwork({ home, config }, io)
  const { payment } = network
  if (!payment) throw walletError('WALLET_NO_PAYMENT', {})
  const { chainId, pool, winValue: faceValue, winsPerSlot, bond, unit } = payment
  return {
    home,
    name: network.name,
    isLocal: network.local,
    payment,
    pool: createPool(nodeTicketCrypto, { chainId, pool, faceValue, winsPerSlot, bond, unit }),
    poolCalls: createPoolCalls(payment.pool),
    tokenCalls: createTokenCalls(payment.token),
  }
}

/**
 * The same with its chain: through the running client where there is one, else at the endpoints; says which.
 * @throws what `readPaidNetwork` and `openPurseChain` throw
 */
export async function openPaidNetwork(flags: WalletFlags, io: CliIo): Promise<PaidNetwork> {
  const network = await readPaidNetwork(flags, io)
  const say = (text: string): void => createOutput(io, false).say(text)
  const { home, payment, isLocal } = network
  const viaClient = flags.viaClient === true
  const shows = 'which accounts are this purse’s'
  const options = { home, payment, isLocal, say, shows, viaClient, signal: io.signal }
  return { ...network, ...(await openPurseChain(options)) }
}

/**
 * Opens the purse for it; asks for the passphrase where that is needed. `recipients` are accounts that a person has confirmed.
 * @throws what `openPaidNetwork`, `readPassphrase` and `openPurse` throw
 */
export async function openWallet(
  flags: WalletFlags,
  io: CliIo,
  recipients: readonly Uint8Array[] = [],
  { mayChallenge = false }: WalletSpecials = {},
): Promise<Wallet> {
  const network = await openPaidNetwork(flags, io)
  const { home, isLocal, payment } = network
  const rules = { ...rulesOf(payment, recipients), mayChallenge }
  const passphrase = await localOr(isLocal, () => readPassphrase(io, 'purse'), io)
  await forgetIfLost(home)
  const purse = await openPurse(home, { passphrase, isLocal, rules })
  return {
    ...network,
    purse,
    passphrase,
    [Symbol.asyncDispose]: () => purse[Symbol.asyncDispose](),
  }
}

/** What the signer of a network is told. */
export function rulesOf(
  payment: PaymentParameters,
  recipients: readonly Uint8Array[] = [],
): SignerRules {
  const { chainId, pool, registry, token, winValue, proofs } = payment
  return { chainId, pool, registry, token, winValue, proofs, recipients }
}

/**
 * Sends calls of one account in order and waits for each. A transaction is on the disk before it is sent: one that a killed command left behind goes on with the next sender of the
 * account, and asking for the very same call again meanwhile sends nothing new.
 */
export type Sender = AsyncDisposable & {
  /** @throws what the lane throws, CHAIN_TRANSACTION_FAILED when it changed nothing */
  send(what: string, call: ContractCall): Promise<TransactionReceipt>
  /** Calls of earlier commands with this beginning of their name that are still on their way, oldest first. */
  unfinished(what: string): Promise<readonly Unfinished[]>
}

/** A call that an earlier command made. */
export type Unfinished = {
  /** Without the time at which it was asked for. */
  readonly what: string
  /** Waits for it. @throws as {@link Sender.send} */
  finish(): Promise<TransactionReceipt>
}

/** A sender over the purse's account. @throws STORE_LOCKED while another command sends */
export function openSender(
  wallet: Wallet,
  account: PayingAccount,
  signal: AbortSignal,
): Promise<Sender> {
  return senderOver(wallet, account, wallet.purse.transactionSigner(account), signal)
}

/** A sender over any key, whose account is asked for beside this one's. @throws STORE_LOCKED while another command sends */
export async function senderOver(
  { home, chainOf, payment, isLocal, isThrough }: PaidNetwork,
  account: PurseAccount,
  signer: TransactionSigner,
  signal: AbortSignal,
): Promise<Sender> {
  await using parts = new AsyncDisposableStack()
  const { transactions } = parts.use(await openOwnStore(home, 'wallet'))
  const lane = parts.use(
    createTransactionLane({
      reader: chainOf(account).reader,
      chainId: payment.chainId,
      signer,
      store: transactions,
      confirmations: payment.confirmations,
      feeCap: isLocal ? LOCAL_FEE_CAP_WEI : FEE_CAP_WEI,
      onAlert: () => {},
    }),
  )
  const stop = new AbortController()
  const everyMs = lookEveryMs({ isLocal, isThrough })
  const looking = keepLooking(lane, { everyMs, signal: stop.signal })
  // Whoever waits hears of what ends it: the disk, or an endpoint that turns out to serve another chain.
  const failed = new Promise<never>((_resolve, reject) => void looking.catch(reject))
  failed.catch(() => {})
  parts.defer(async () => {
    stop.abort()
    await looking.catch(() => {})
  })
  const finish = async (call: ContractCall, key: string): Promise<TransactionReceipt> => {
    const { confirmed } = await lane.send({ ...call, key }, signal)
    return await Promise.race([confirmed, failed])
  }
  const pending = (): Promise<readonly StoredTransaction[]> => transactions.pending(signer.address)
  const owned = parts.move()
  return {
    async send(what, call) {
      const same = (await pending()).find((each) => isSameCall(each.call, call))
      return await finish(call, same?.key ?? `${KEY_HEAD}${what}:${Date.now()}`)
    },
    unfinished: async (what) =>
      (await pending())
        .filter(({ key }) => key.startsWith(`${KEY_HEAD}${what}`))
        .map(({ key, call }) => ({
          what: key.slice(KEY_HEAD.length, key.lastIndexOf(':')),
          finish: () => finish(call, key),
        })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const KEY_HEAD = 'wallet:'

/** True for the error of a transaction that changed nothing and never will. */
export function cameToNothing(error: unknown): boolean {
  const code = isBywayError(error) ? error.code : ''
  return code === 'CHAIN_TRANSACTION_FAILED' || code === 'CHAIN_TRANSACTION_LOST'
}

/** Between two looks at the chain while something is waited for. */
export function lookEveryMs({
  isLocal,
  isThrough,
}: Pick<PaidNetwork, 'isLocal' | 'isThrough'>): number {
  if (isThrough) return isLocal ? LOCAL_THROUGH_LOOK_EVERY_MS : THROUGH_LOOK_EVERY_MS
  return isLocal ? LOCAL_LOOK_EVERY_MS : LOOK_EVERY_MS
}

function isSameCall(a: ContractCall, b: ContractCall): boolean {
  const isSameTo = a.to && b.to ? equalBytes(a.to, b.to) : a.to === b.to
  return isSameTo && equalBytes(a.data, b.data) && a.value === b.value
}

/** Purses of a local network have no passphrase of their own, unless a file says one. */
async function localOr(
  isLocal: boolean,
  read: () => Promise<string>,
  io: CliIo,
): Promise<string | undefined> {
  return isLocal && !io.env['BYWAY_PASSPHRASE_FILE'] && !io.isInteractive ? undefined : await read()
}

/** Real contracts on a real anvil, a provider with a store, a lane and a redemption, and winners as clients make them. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createLocalSigner,
  createPoolCalls,
  createTransactionLane,
  openChain,
  type Chain,
  type TransactionLane,
} from '@byway/chain'
import { BywayError } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { TransactionSigner } from '@byway/protocol/payment'
import { encodeOpening, type Opening } from '@byway/protocol/wire'
import { openStore, type Store, type StoredWinner, type Winner } from '@byway/store'
import { hexToBytes, toHex, type Address, type Hex } from 'viem'
import { hash, text, uint } from '../../../../contracts/test/kit/bytes.ts'
import { keyOf, type Key } from '../../../../contracts/test/kit/keys.ts'
import { startScene, type Scene } from '../../../../contracts/test/kit/scene.ts'
import type { Slot } from '../../../../contracts/test/kit/slots.ts'
import { bookGas } from '../../src/redemption/gas-paid.ts'
import type { Redeemers } from '../../src/redemption/redeemers.ts'
import {
  createRedemption,
  type Redemption,
  type RedemptionStatus,
} from '../../src/redemption/redemption.ts'
import type { RedemptionAlert, RedemptionDeps } from '../../src/redemption/ports.ts'

export const GWEI = 1_000_000_000n

const MAX_LOOKS = 400
const NEVER = 'it never came to that'

export type RedeemingWorld = AsyncDisposable & {
  readonly scene: Scene
  readonly folder: string
  readonly signal: AbortSignal
  mine(blocks: number): Promise<void>
  /** A winner of a slot with this index, as the node would store it. */
  winner(slot: Slot, provider: Key, index: number, receivedAtMs?: number): Winner
}

/** Deploys; `maxGasPrice` blocks keep the base fee low. */
export async function startRedeemingWorld(
  ...options: Parameters<typeof startScene>
): Promise<RedeemingWorld> {
  const scene = await startScene(...options)
  const folder = await mkdtemp(join(tmpdir(), 'byway-redeem-'))
  const { rpc } = scene.world
  return {
    scene,
    folder,
    signal: AbortSignal.timeout(600_000),
    mine: async (blocks) => void (await rpc.request('anvil_mine', toHex(blocks))),
    winner: (slot, provider, index, receivedAtMs = Date.now()) =>
      winnerOf(scene, slot, provider.address, index, receivedAtMs),
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export function winnerOf(
  { client }: Pick<Scene, 'client'>,
  slot: Slot,
  provider: Address,
  index: number,
  receivedAtMs: number,
): Winner {
  const ticket = client.winning(slot, provider, index)
  const opening = openingOf(slot)
  return {
    nullifier: opening.nullifier,
    index,
    opening: encodeOpening(opening),
    provider: bytes(provider),
    amount: ticket.amount,
    nonce: bytes(ticket.nonce),
    reveal: bytes(ticket.reveal),
    signature: bytes(ticket.signature),
    receivedAtMs,
  }
}

const bytes = (value: Hex): Uint8Array => hexToBytes(value)

/** The opening as it is shown to a node. */
export function openingOf({ opening }: Slot): Opening {
  const { root, nullifier, sessionKey, receiptKey, proof } = opening
  return {
    root: bytes(uint(root, 256)),
    nullifier: bytes(uint(nullifier, 256)),
    sessionKey: bytes(sessionKey),
    receiptKey: bytes(receiptKey),
    proof: bytes(proof),
  }
}

/** The secret of a key of the contracts' test kit. */
export function secretOf(name: string): Uint8Array {
  return hexToBytes(hash(text(`test key ${name}`)))
}

/** Where redemption runs: what a child process needs to run one, too. */
export type RedeemerSettings = {
  readonly url: string
  readonly folder: string
  /** Name of the provider's key in the test kit. */
  readonly name: string
  readonly pool: Address
  readonly registry: Address
  readonly token: Address
  readonly authoriser: Address
  /** The contract of service proofs. */
  readonly proofs: Address
  readonly profile: Scene['world']['profile']
  readonly confirmations: number
}

export function settingsOf(
  world: Pick<RedeemingWorld, 'scene' | 'folder'>,
  name: string,
  confirmations = 1,
): RedeemerSettings {
  const { pool, registry, token, authoriser, proofs, rpc, profile } = world.scene.world
  const folder = join(world.folder, name.replaceAll(' ', '-'))
  const addresses = { pool, registry, token, authoriser, proofs }
  return { url: rpc.url, folder, name, ...addresses, profile, confirmations }
}

export type RunningProvider = AsyncDisposable & {
  readonly store: Store
  readonly chain: Chain
  readonly lane: TransactionLane
  readonly redemption: Redemption
  readonly alerts: readonly RedemptionAlert[]
  /** Alerts that hold no more. */
  readonly over: readonly RedemptionAlert['type'][]
  /** Looks until a condition holds, mining a block after each look. */
  until(
    isDone: (status: RedemptionStatus) => boolean | Promise<boolean>,
    step: () => Promise<void>,
  ): Promise<void>
  winners(): Promise<readonly StoredWinner[]>
}

export type SendMoment = 'before-send' | 'after-send'

/** A lane that tells when a call is handed to it. */
function watched(
  lane: TransactionLane,
  onSend: (moment: SendMoment) => Promise<void>,
): Pick<TransactionLane, 'send' | 'raise'> {
  return {
    async send(call, signal) {
      await onSend('before-send')
      const transaction = await lane.send(call, signal)
      await onSend('after-send')
      return transaction
    },
    raise: (key, feeCap) => lane.raise(key, feeCap),
  }
}

/** What a signer says that has signed away enough for one day. */
export function refusal(): Error {
  const rule = 'gas-of-day'
  return new BywayError('PURSE_REFUSED', 'payment', 'the signer refuses', { rule })
}

function signerOf(name: string, isUnsigned: () => boolean = () => false): TransactionSigner {
  const signer = createLocalSigner(secretOf(name))
  return {
    address: signer.address,
    signTransaction: async (transaction) => {
      if (isUnsigned()) throw refusal()
      return await signer.signTransaction(transaction)
    },
  }
}

/** Opens a provider's store and all above it. */
export async function openProvider(
  settings: RedeemerSettings,
  more: {
    readonly policy?: Partial<RedemptionDeps['policy']>
    readonly nowMs?: () => number
    readonly random?: () => number
    readonly redeemers?: Redeemers
    readonly withoutGas?: boolean
    /** True while its signer signs no transaction. */
    readonly isUnsigned?: () => boolean
    /** What it asks the chain with, instead. */
    readonly viewOver?: (view: Chain['view']) => Chain['view']
    readonly coinPrice?: bigint
    /** Offers its binds to redeemers before it sends them itself. */
    readonly offersBinds?: boolean
    /** Stands before and after each call that is handed to the lane. */
    readonly onSend?: (moment: SendMoment) => Promise<void>
  } = {},
): Promise<RunningProvider> {
  const signal = AbortSignal.timeout(600_000)
  const store = await openStore({
    folder: settings.folder,
    name: 'node',
    key: secretOf(settings.name),
  })
  const chain = openChain({ payment: paymentOf(settings), isLocal: true, onAlert() {}, pollMs: 0 })
  const lane = createTransactionLane({
    reader: chain.reader,
    chainId: 31_337,
    signer: signerOf(settings.name, more.isUnsigned),
    store: bookGas(store.transactions, store.ledger, Date.now),
    confirmations: settings.confirmations,
    feeCap: 100n * GWEI,
    onAlert() {},
  })
  const alerts: RedemptionAlert[] = []
  const over: RedemptionAlert['type'][] = []
  const { lockDuration, refundDelay, closeDelay, winValue, winsPerSlot, bond } = settings.profile
  const delays = { lockS: lockDuration, refundDelayS: refundDelay, closeDelayS: closeDelay }
  const redemption = createRedemption({
    store,
    chain: more.viewOver?.(chain.view) ?? chain.view,
    calls: createPoolCalls(hexToBytes(settings.pool)),
    lane: more.withoutGas ? undefined : more.onSend ? watched(lane, more.onSend) : lane,
    redeemers: more.redeemers,
    baseFee: more.offersBinds ? async (look) => (await chain.reader.head(look)).baseFee : undefined,
    events: store.ledger,
    provider: hexToBytes(keyOf(settings.name).address),
    winsPerSlot,
    bond,
    // The world's pool holds 5 % back.
    heldPerWin: winValue / 20n,
    confirmations: settings.confirmations,
    policy: { bindWaitMs: 0, claimWaitMs: 0, companyMs: 0, delays, ...more.policy },
    // A win of 0.1 token is worth 0.1 coin: gas is never dear unless a test makes it.
    worth: { winValue, coinPrice: more.coinPrice ?? 10n ** 18n },
    nowMs: more.nowMs ?? Date.now,
    // The longest that policy allows, unless a test draws.
    random: more.random ?? (() => 1),
    onAlert: (alert) => alerts.push(alert),
    onAlertOver: (type) => over.push(type),
  })
  return {
    store,
    chain,
    lane,
    redemption,
    alerts,
    over,
    async until(isDone, step) {
      for (let looks = 0; ; looks++) {
        assert.ok(looks < MAX_LOOKS, NEVER)
        await lookOfLane(lane)
        if (await isDone(await redemption.look(signal))) return
        await step()
      }
    },
    winners: () => store.winners.list(['received', 'queued', 'sent', 'done', 'lapsed', 'lost']),
    async [Symbol.asyncDispose]() {
      await lane[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** Looks until a slot's lock is on the chain, also before each look of redemption: that would bind what the lane has just got locked, and nobody would see the lock. */
export async function untilLocked(
  { scene, signal }: RedeemingWorld,
  { lane, redemption }: RunningProvider,
  { nullifier }: Pick<Slot, 'nullifier'>,
  step: () => Promise<void>,
): Promise<void> {
  const isLocked = async (): Promise<boolean> => (await scene.word(nullifier)).state === 'LOCKED'
  for (let looks = 0; ; looks++) {
    assert.ok(looks < MAX_LOOKS, NEVER)
    await lookOfLane(lane)
    if (await isLocked()) return
    await redemption.look(signal)
    if (await isLocked()) return
    await step()
  }
}

async function lookOfLane(lane: TransactionLane): Promise<void> {
  await lane.look(AbortSignal.timeout(60_000))
  // What it found out arrives in a promise.
  await new Promise((resolve) => setImmediate(resolve))
}

/** What the network's file would say. */
export function paymentOf(settings: RedeemerSettings): PaymentParameters {
  const { profile } = settings
  return {
    chainId: 31_337,
    rpcUrls: [settings.url],
    pool: hexToBytes(settings.pool),
    registry: hexToBytes(settings.registry),
    token: hexToBytes(settings.token),
    authoriser: hexToBytes(settings.authoriser),
    proofs: { epochS: profile.epochDuration, contract: hexToBytes(settings.proofs) },
    deployBlock: 0,
    winValue: profile.winValue,
    winsPerSlot: profile.winsPerSlot,
    bond: profile.bond,
    unit: profile.unit,
    tokenSymbol: 'TEST',
    tokenDecimals: 18,
    issueDelayS: 15,
    rootIntervalS: profile.snapshotInterval,
    rootMaxAgeS: 3600,
    lockS: profile.lockDuration,
    refundDelayS: profile.refundDelay,
    closeDelayS: profile.closeDelay,
    confirmations: settings.confirmations,
  }
}

/** Winners by state. */
export function statesOf(winners: readonly StoredWinner[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { state, reason } of winners) {
    const name = reason === undefined ? state : `${state} ${reason}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

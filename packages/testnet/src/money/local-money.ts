/**
 * Money of a network on one machine: a chain of its own, the contracts, and accounts that have what they need. All of it is made out of nothing and worth nothing.
 */
import { randomBytes } from 'node:crypto'
import {
  createLocalSigner,
  createMemoryTransactionStore,
  createPoolCalls,
  createTokenCalls,
  createTransactionLane,
  deployContracts,
  LOCAL_CHAIN_ID,
  openChainReader,
  paymentOf,
  PROOF_CONTRACTS,
  startAnvil,
  type ContractParameters,
  type TransactionLane,
} from '@byway/chain'
import type { ContractCall } from '@byway/protocol/payment'
import type { PaymentParameters } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { identityCommitment } from '@byway/protocol/ticket'
import { createLocalPurse, openPurse } from '@byway/purse'
import { looking } from './looking.ts'
import { createStakers } from './stakers.ts'

export interface LocalMoney extends AsyncDisposable {
  /** For the network file. */
  readonly payment: PaymentParameters
  /** Of the chain's process: who stops it takes the chain away. */
  readonly chainPid: number
  /** Makes a purse in a node's state folder, with coin for gas or without. */
  preparePurse(home: string, hasGas: boolean): Promise<void>
  /** Puts the node under stake, with the purse of its folder as provider. @param staker - names who owns the stake: an account of its own for each name */
  registerNode(home: string, nodeId: Uint8Array, staker: number): Promise<void>
  /** Makes a purse in a client's state folder and a deposit for it, under a published root. */
  fundClient(home: string): Promise<void>
}

/** What of it may be chosen. */
export type LocalMoneyOptions = {
  /** Of an epoch of service proofs, seconds. @default half an hour */
  readonly epochS?: number | undefined
  /** Wins that a slot pays for, 1 to 255: what it may pay out is locked for it. @default 2 */
  readonly winsPerSlot?: number | undefined
  /** Seconds. What a node knows of a slot holds for a lock, or half of one of the others, while the chain cannot be asked. @default a minute or two each */
  readonly delays?: Pick<ContractParameters, 'lockS' | 'refundDelayS' | 'closeDelayS'> | undefined
}

/** `V` is a tenth of a token, as DESIGN §7.2 has it for dollars; delays that somebody who watches can wait for. */
const PARAMETERS: ContractParameters = {
  winValue: 10n ** 17n,
  winsPerSlot: 2,
  bond: 5n * 10n ** 16n,
  unit: 10n ** 16n,
  lockPenalty: 10n ** 16n,
  feeBps: 500,
  holdBps: 500,
  epochS: 1800,
  // Some minutes more than it takes to make the program of service proofs, once.
  commitWindowS: 600,
  beaconDelayS: 5,
  beaconSpacingS: 300,
  beaconRounds: 2,
  challengeWindowS: 120,
  answerWindowS: 300,
  challengeBond: 10n ** 18n,
  treeDepth: 26,
  rootIntervalS: 1,
  lockS: 120,
  refundDelayS: 60,
  closeDelayS: 120,
  minStake: 10n ** 19n,
  unbondingDelayS: 3600,
  payoutDelayS: 60,
}
/** Nobody may commit to an epoch for longer than the next one lasts. */
function parametersFor(options: LocalMoneyOptions): ContractParameters {
  const { epochS = PARAMETERS.epochS, winsPerSlot = PARAMETERS.winsPerSlot } = options
  const commitWindowS = Math.min(PARAMETERS.commitWindowS, epochS)
  const { lockS = PARAMETERS.lockS } = options.delays ?? {}
  // Nobody leaves before a lock of his has ended.
  const unbondingDelayS = Math.max(PARAMETERS.unbondingDelayS, 2 * lockS)
  const chosen = { winsPerSlot, epochS, commitWindowS, unbondingDelayS }
  return { ...PARAMETERS, ...options.delays, ...chosen }
}

/** A proof that was made ahead stays good for so long after the next root. */
const ROOT_MAX_AGE_S = 6 * 3600
const ISSUE_DELAY_S = 1
/** A chain on one machine has one maker of blocks and no forks. */
const CONFIRMATIONS = 1
const BLOCK_TIME_S = 1
/** Of the client: some hundred GiB of traffic. */
const SLOTS = 200
const LOOK_MS = 10
const RICH_WEI = 10n ** 24n
/** Of a purse, for gas. */
const PURSE_WEI = 10n ** 19n
const FEE_CAP_WEI = 10n ** 11n

/**
 * Starts the chain, deploys, and mints.
 * @throws what the chain throws, or the signal's reason
 */
export async function startLocalMoney(
  signal: AbortSignal,
  options: LocalMoneyOptions = {},
): Promise<LocalMoney> {
  const parameters = parametersFor(options)
  await using parts = new AsyncDisposableStack()
  const anvil = parts.use(await startAnvil({ blockTimeS: BLOCK_TIME_S, signal }))
  const reader = openChainReader({
    rpcUrls: [anvil.url],
    chainId: LOCAL_CHAIN_ID,
    isLocal: true,
    onAlert: () => {},
    pollMs: LOOK_MS,
  })
  const lanes = parts.use(new AsyncDisposableStack())
  const openLane = async (): Promise<TransactionLane> => {
    const signer = createLocalSigner(randomBytes(32))
    await anvil.setBalance(signer.address, RICH_WEI)
    const store = createMemoryTransactionStore()
    const [chainId, confirmations, feeCap] = [LOCAL_CHAIN_ID, CONFIRMATIONS, FEE_CAP_WEI]
    const its = { reader, chainId, signer, store, confirmations, feeCap }
    return lanes.use(createTransactionLane({ ...its, onAlert: () => {} }))
  }
  const lane = await openLane()
  const record = await looking(lane, (ended) =>
    deployContracts({
      lane,
      chainId: LOCAL_CHAIN_ID,
      parameters,
      proofContracts: PROOF_CONTRACTS,
      signal: AbortSignal.any([signal, ended]),
    }),
  )
  const payment = paymentOf(record, parameters, {
    rpcUrls: [anvil.url],
    tokenSymbol: 'tBYW',
    tokenDecimals: 18,
    issueDelayS: ISSUE_DELAY_S,
    rootMaxAgeS: ROOT_MAX_AGE_S,
    confirmations: CONFIRMATIONS,
  })
  const bank = createBank(lane, payment, signal)
  await bank.mint()
  const stakers = createStakers({
    openLane,
    give: (to, amount) => bank.give(to, amount),
    payment,
    stake: PARAMETERS.minStake,
    signal,
  })
  const owned = parts.move()
  return {
    payment,
    chainPid: anvil.pid,
    async preparePurse(home, hasGas) {
      const { provider, funds } = await createLocalPurse(home)
      if (!hasGas) return
      await Promise.all([provider, funds].map((each) => anvil.setBalance(each, PURSE_WEI)))
    },
    async registerNode(home, nodeId, staker) {
      await stakers.register(staker, home, nodeId)
    },
    fundClient: (home) => bank.deposit(home),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

type Bank = {
  mint(): Promise<void>
  /** Gives money to an account. */
  give(to: Uint8Array, amount: bigint): Promise<void>
  deposit(home: string): Promise<void>
}

/** The account that deployed the contracts: it has all the money and gives it away. */
function createBank(lane: TransactionLane, payment: PaymentParameters, signal: AbortSignal): Bank {
  const token = createTokenCalls(payment.token)
  const pool = createPoolCalls(payment.pool)
  let calls = 0
  const run = (...all: readonly ContractCall[]): Promise<void> =>
    looking(lane, async (ended) => {
      const either = AbortSignal.any([signal, ended])
      for (const call of all) {
        const sent = await lane.send({ ...call, key: `bank:${++calls}` }, either)
        await sent.confirmed
      }
    })
  return {
    mint: () =>
      run(
        token.mint(lane.account, ALL_MONEY),
        token.approve(payment.registry, ALL_MONEY),
        token.approve(payment.pool, ALL_MONEY),
      ),
    give: (to, amount) => run(token.mint(to, amount)),
    async deposit(home) {
      await createLocalPurse(home)
      await using purse = await openPurse(home, { isLocal: true, rules: payment })
      const owner = await purse.depositOwner(0)
      const idc = identityCommitment(nodeTicketCrypto, owner.secret)
      const { winsPerSlot, winValue, bond, unit } = payment
      const unitsPerSlot = Number((BigInt(winsPerSlot) * winValue + bond) / unit)
      await run(pool.deposit(idc, SLOTS * unitsPerSlot), pool.snapshot())
    },
  }
}

/** More than any network gives away. */
const ALL_MONEY = 10n ** 26n

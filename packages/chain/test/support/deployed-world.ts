/** The contracts on a real anvil, with accounts that have money. */
import type { PaymentParameters } from '@byway/protocol/directory'
import { LOCAL_CHAIN_ID } from '../../src/anvil/start-anvil.ts'
import {
  createRegistryCalls,
  createTokenCalls,
  type RegistryCalls,
  type TokenCalls,
} from '../../src/contracts/other-calls.ts'
import { createPoolCalls, type PoolCalls } from '../../src/contracts/pool-calls.ts'
import { deployContracts } from '../../src/deploy/deploy-contracts.ts'
import { PROOF_CONTRACTS } from '../../src/deploy/proof-contracts.ts'
import {
  DEFAULT_PARAMETERS,
  type ContractParameters,
  type DeploymentRecord,
} from '../../src/deploy/deployment.ts'
import { paymentOf } from '../../src/deploy/payment-of.ts'
import { createTransactionLane } from '../../src/lane/create-lane.ts'
import { createMemoryTransactionStore } from '../../src/lane/memory-store.ts'
import { openChain, type Chain } from '../../src/open-chain.ts'
import { keepLooking, type LaneCall, type TransactionLane } from '../../src/transaction-lane.ts'
import { readerOf, signerOf, startTestChain, type TestChain, type TestScope } from './test-chain.ts'

export type DeployedWorld = {
  readonly anvil: TestChain
  readonly chain: Chain
  readonly lane: TransactionLane
  readonly record: DeploymentRecord
  readonly payment: PaymentParameters
  readonly pool: PoolCalls
  readonly registry: RegistryCalls
  readonly token: TokenCalls
  /** Sends and waits until it is mined. */
  readonly run: (call: Omit<LaneCall, 'key'>) => Promise<`0x${string}`>
}

export const PARAMETERS: ContractParameters = { ...DEFAULT_PARAMETERS, rootIntervalS: 1 }

export async function deployWorld(t: TestScope): Promise<DeployedWorld> {
  const anvil = await startTestChain(t)
  const { reader } = readerOf([anvil.url])
  const lane = createTransactionLane({
    reader,
    chainId: LOCAL_CHAIN_ID,
    signer: signerOf(0),
    store: createMemoryTransactionStore(),
    confirmations: 1,
    feeCap: 10n ** 11n,
    onAlert: () => {},
  })
  const stop = new AbortController()
  const looking = keepLooking(lane, { everyMs: 5, signal: stop.signal })
  t.after(async () => {
    stop.abort()
    await looking
    await lane[Symbol.asyncDispose]()
  })
  const options = {
    lane,
    chainId: LOCAL_CHAIN_ID,
    parameters: PARAMETERS,
    proofContracts: PROOF_CONTRACTS,
    signal: t.signal,
  }
  const record = await deployContracts(options)
  const payment = paymentOf(record, PARAMETERS, {
    rpcUrls: [anvil.url],
    tokenSymbol: 'tBYW',
    tokenDecimals: 18,
    issueDelayS: 1,
    rootMaxAgeS: 3600,
    confirmations: 1,
  })
  const chain = openChain({ payment, isLocal: true, onAlert: () => {}, pollMs: 0 })
  let calls = 0
  return {
    anvil,
    chain,
    lane,
    record,
    payment,
    pool: createPoolCalls(payment.pool),
    registry: createRegistryCalls(payment.registry),
    token: createTokenCalls(payment.token),
    async run(call) {
      const sent = await lane.send({ ...call, key: `call:${++calls}` }, t.signal)
      return (await sent.confirmed).hash
    },
  }
}

/** A network file over contracts on a real chain of this machine, for wallet commands. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  createLocalSigner,
  createMemoryTransactionStore,
  createPoolCalls,
  createRegistryCalls,
  createTokenCalls,
  createTransactionLane,
  DEFAULT_PARAMETERS,
  deployContracts,
  keepLooking,
  LOCAL_CHAIN_ID,
  openChain,
  paymentOf,
  PROOF_CONTRACTS,
  startAnvil,
  type Chain,
  type PoolCalls,
  type RegistryCalls,
  type TokenCalls,
  type TransactionLane,
} from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { ContractCall } from '@byway/protocol/payment'
import { formatNetworkFile } from '../../src/config/network-file.ts'
import { temporaryHome } from '../spawn-byway.ts'

export type PaidTestNetwork = {
  readonly payment: PaymentParameters
  readonly chain: Chain
  readonly pool: PoolCalls
  readonly registry: RegistryCalls
  readonly token: TokenCalls
  /** The network file. */
  readonly file: string
  /** The account that `run` sends from by default. */
  readonly deployer: Uint8Array
  /** Sends from the deployer's account, or with another key. */
  run(call: ContractCall, key?: Uint8Array): Promise<void>
  /** Gives an account coin for gas. */
  giveCoin(account: Uint8Array): Promise<void>
  /** Moves the chain's clock and makes a block. */
  advance(seconds: number): Promise<void>
}

/** The first account of every anvil; known to everybody. */
const DEPLOYER = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

const PARAMETERS = { ...DEFAULT_PARAMETERS, rootIntervalS: 1, refundDelayS: 600 }

export async function paidNetwork(t: TestContext): Promise<PaidTestNetwork> {
  const folder = await temporaryHome(t)
  const anvil = await startAnvil({ signal: t.signal })
  t.after(() => anvil[Symbol.asyncDispose]())
  const choices = {
    rpcUrls: [anvil.url],
    tokenSymbol: 'tBYW',
    tokenDecimals: 6,
    issueDelayS: 1,
    rootMaxAgeS: 3600,
    confirmations: 1,
  }
  const nowhere = new Uint8Array(20)
  const places = { pool: nowhere, registry: nowhere, token: nowhere, authoriser: nowhere }
  const { winValue, winsPerSlot, bond, unit, rootIntervalS, lockS, refundDelayS, closeDelayS } =
    PARAMETERS
  const constants = {
    winValue,
    winsPerSlot,
    bond,
    unit,
    rootIntervalS,
    lockS,
    refundDelayS,
    closeDelayS,
  }
  const draft = { ...choices, ...places, ...constants, chainId: LOCAL_CHAIN_ID, deployBlock: 0 }
  const { reader } = openChain({ payment: draft, isLocal: true, onAlert: () => {}, pollMs: 0 })
  const openLane = (key: Uint8Array): TransactionLane => {
    const lane = createTransactionLane({
      reader,
      chainId: LOCAL_CHAIN_ID,
      signer: createLocalSigner(key),
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
    return lane
  }
  const deployer = openLane(Buffer.from(DEPLOYER, 'hex'))
  const record = await deployContracts({
    lane: deployer,
    chainId: LOCAL_CHAIN_ID,
    parameters: PARAMETERS,
    proofContracts: PROOF_CONTRACTS,
    signal: t.signal,
  })
  const payment = paymentOf(record, PARAMETERS, choices)
  const file = join(folder, 'network.toml')
  const network = {
    name: 'test',
    local: true,
    reachablePrefixes: ['127.0.0.0/8'],
    asnTable: [],
    bootstrap: [],
    exitTargets: [],
    payment,
  }
  await writeFile(file, formatNetworkFile(network))
  const chain = openChain({ payment, isLocal: true, onAlert: () => {}, pollMs: 0 })
  let calls = 0
  return {
    payment,
    chain,
    file,
    deployer: deployer.account,
    pool: createPoolCalls(payment.pool),
    registry: createRegistryCalls(payment.registry),
    token: createTokenCalls(payment.token),
    async run(call, key) {
      const lane = key ? openLane(key) : deployer
      const sent = await lane.send({ ...call, key: `test:${++calls}` }, t.signal)
      await sent.confirmed
    },
    async giveCoin(account) {
      const params = [`0x${toHex(account)}`, `0x${(10n ** 18n).toString(16)}`]
      await chain.reader.quorum.askAll('anvil_setBalance', params, t.signal)
    },
    async advance(seconds) {
      await chain.reader.quorum.askAll('evm_increaseTime', [seconds], t.signal)
      await chain.reader.quorum.askAll('evm_mine', [], t.signal)
    },
  }
}

/** Does what `byway deploy` says. What the options are called is in commands/deploy.ts. */
import { open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { stringify } from 'smol-toml'
import {
  askChainId,
  askToken,
  assertDeployable,
  type ChainReader,
  createLocalSigner,
  createMemoryTransactionStore,
  createTransactionLane,
  DEFAULT_PARAMETERS,
  deployContracts,
  keepLooking,
  LOCAL_CHAIN_ID,
  openChainReader,
  paymentOf,
  scaleParameters,
  type DeploymentRecord,
  type DeployOptions,
  type ProofContracts,
} from '@byway/chain'
import { readPrivateFile } from '@byway/home'
import { fromHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { cliError } from '../cli-errors.ts'
import { paymentTable } from '../config/payment-table.ts'

export type DeployRun = {
  readonly rpcUrls: readonly string[]
  /** Holds the deployer's key. */
  readonly keyFile: string
  /** Where the record is to be. */
  readonly recordFile: string
  /** 20 bytes; on a local chain one is made without it. */
  readonly token?: Uint8Array | undefined
  /** Blocks until a transaction counts as settled. @default 1 on a local chain, {@link DEFAULT_CONFIRMATIONS} elsewhere */
  readonly confirmations?: number | undefined
  readonly proofContracts: ProofContracts
  readonly signal: AbortSignal
}

/** What came of it. */
export type Deployed = {
  readonly record: DeploymentRecord
  readonly recordFile: string
  /** For the network file. */
  readonly table: string
}

/** A reorganisation of twelve blocks is what the rest of the program is tested against. */
export const DEFAULT_CONFIRMATIONS = 12

/** The most that a unit of gas may cost: all contracts take about 18 million. */
const FEE_CAP_WEI = 50_000_000_000n
const LOCAL_LOOK_MS = 250
/** Blocks come in seconds, and endpoints count what they are asked. */
const LOOK_MS = 2000
/** Of the token that is made on a local chain. */
const LOCAL_TOKEN = { symbol: 'tBYW', decimals: 18 } as const
/** What a deployment leaves open: proofs made ahead stay good for six hours after the next root. */
const CHOICES = { issueDelayS: 15, rootMaxAgeS: 6 * 3600 } as const

/**
 * Deploys, and writes the record.
 * @throws CHAIN_DEVELOPMENT_SET_UP and CHAIN_NO_TOKEN for any chain but a local one, CHAIN_CONTRACT for an address without a token, CLI_USAGE for a file without a key,
 *   EEXIST when there is a record, and what the chain throws
 */
export async function runDeploy(run: DeployRun): Promise<Deployed> {
  const { rpcUrls, signal, token, proofContracts } = run
  const key = await readKey(run.keyFile)
  const chainId = await askChainId(rpcUrls, signal)
  // Before a key is used or a coin is spent.
  assertDeployable(proofContracts, chainId, token)
  const isLocal = chainId === LOCAL_CHAIN_ID
  const reader = openChainReader({ rpcUrls, chainId, isLocal, onAlert: () => {} })
  const facts = token ? await askToken(reader, token, signal) : LOCAL_TOKEN
  const parameters = scaleParameters(DEFAULT_PARAMETERS, facts.decimals)
  const recordFile = resolve(run.recordFile)
  // Made first: contracts whose record cannot be written are lost.
  const file = await open(recordFile, 'wx')
  try {
    const confirmations = run.confirmations ?? (isLocal ? 1 : DEFAULT_CONFIRMATIONS)
    const lane = { reader, chainId, key, confirmations }
    const record = await deployWith(lane, { chainId, parameters, token, proofContracts, signal })
    await file.writeFile(`${JSON.stringify(record, undefined, 2)}\n`)
    const [tokenSymbol, tokenDecimals] = [facts.symbol, facts.decimals]
    const choices = { ...CHOICES, tokenSymbol, tokenDecimals, confirmations, rpcUrls }
    return { record, recordFile, table: tableOf(paymentOf(record, parameters, choices)) }
  } catch (error) {
    await rm(recordFile)
    throw error
  } finally {
    await file.close()
  }
}

type DeployerLane = {
  readonly reader: ChainReader
  readonly chainId: number
  readonly key: Uint8Array
  readonly confirmations: number
}

async function deployWith(
  { reader, chainId, key, confirmations }: DeployerLane,
  options: Omit<DeployOptions, 'lane'>,
): Promise<DeploymentRecord> {
  await using lane = createTransactionLane({
    reader,
    chainId,
    signer: createLocalSigner(key),
    store: createMemoryTransactionStore(),
    confirmations,
    feeCap: FEE_CAP_WEI,
    onAlert: () => {},
  })
  const stop = new AbortController()
  const everyMs = chainId === LOCAL_CHAIN_ID ? LOCAL_LOOK_MS : LOOK_MS
  const looking = keepLooking(lane, { everyMs, signal: stop.signal })
  const lost = Promise.withResolvers<never>()
  looking.catch(lost.reject)
  try {
    return await Promise.race([deployContracts({ ...options, lane }), lost.promise])
  } finally {
    stop.abort()
    await looking.catch(() => {})
  }
}

async function readKey(path: string): Promise<Uint8Array> {
  const text = await readPrivateFile(resolve(path))
  const key = fromHex(text?.trim().replace(/^0x/, '') ?? '')
  if (key?.length !== 32) throw cliError('CLI_USAGE', { problem: 'the key file holds no key' })
  return key
}

function tableOf(payment: PaymentParameters): string {
  return stringify({ payment: paymentTable(payment) })
}

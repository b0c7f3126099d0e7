/** Does what `byway deploy` says. What the options are called is in commands/deploy.ts. */
import { open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { stringify } from 'smol-toml'
import {
  askChainId,
  chainError,
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
  readonly signal: AbortSignal
}

/** What came of it. */
export type Deployed = {
  readonly record: DeploymentRecord
  readonly recordFile: string
  /** For the network file. */
  readonly table: string
}

/** The most that a unit of gas may cost: all contracts take about 18 million. */
const FEE_CAP_WEI = 50_000_000_000n
const LOOK_MS = 250
/** Of the test token that is made on a local chain. */
const TOKEN_DECIMALS = 18
const PARAMETERS = scaleParameters(DEFAULT_PARAMETERS, TOKEN_DECIMALS)
/** What a deployment leaves open: a local chain has no forks; proofs made ahead stay good for six hours after the next root. */
const CHOICES = {
  tokenSymbol: 'tBYW',
  tokenDecimals: TOKEN_DECIMALS,
  issueDelayS: 15,
  rootMaxAgeS: 6 * 3600,
  confirmations: 1,
}

/**
 * Deploys, and writes the record.
 * @throws CHAIN_DEVELOPMENT_SET_UP for any chain but a local one, CLI_USAGE for a file without a key, EEXIST when there is a record, and what the chain throws
 */
export async function runDeploy(run: DeployRun): Promise<Deployed> {
  const { rpcUrls, signal } = run
  const key = await readKey(run.keyFile)
  const chainId = await askChainId(rpcUrls, signal)
  // Before a key is used or a coin is spent.
  if (chainId !== LOCAL_CHAIN_ID) throw chainError('CHAIN_DEVELOPMENT_SET_UP', { chainId })
  const recordFile = resolve(run.recordFile)
  // Made first: contracts whose record cannot be written are lost.
  const file = await open(recordFile, 'wx')
  try {
    const record = await deployWith(key, rpcUrls, signal)
    await file.writeFile(`${JSON.stringify(record, undefined, 2)}\n`)
    return {
      record,
      recordFile,
      table: tableOf(paymentOf(record, PARAMETERS, { ...CHOICES, rpcUrls })),
    }
  } catch (error) {
    await rm(recordFile)
    throw error
  } finally {
    await file.close()
  }
}

async function deployWith(
  key: Uint8Array,
  rpcUrls: readonly string[],
  signal: AbortSignal,
): Promise<DeploymentRecord> {
  const chainId = LOCAL_CHAIN_ID
  const reader = openChainReader({ rpcUrls, chainId, isLocal: true, onAlert: () => {} })
  await using lane = createTransactionLane({
    reader,
    chainId,
    signer: createLocalSigner(key),
    store: createMemoryTransactionStore(),
    confirmations: CHOICES.confirmations,
    feeCap: FEE_CAP_WEI,
    onAlert: () => {},
  })
  const stop = new AbortController()
  const looking = keepLooking(lane, { everyMs: LOOK_MS, signal: stop.signal })
  const lost = Promise.withResolvers<never>()
  looking.catch(lost.reject)
  try {
    const deployed = deployContracts({ lane, chainId, parameters: PARAMETERS, signal })
    return await Promise.race([deployed, lost.promise])
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

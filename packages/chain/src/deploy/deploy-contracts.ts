/**
 * Deploys the contracts from the committed artefacts. Registry, pool and service proofs name each other, so their addresses are computed before they exist: they follow from
 * the deployer's nonce.
 */
import { createHash } from 'node:crypto'
import { encodeDeployData, getContractAddress, hexToBytes } from 'viem/utils'
import type { Hex, TransactionReceipt } from '@byway/protocol/payment'
import {
  bywayPoolArtifact,
  bywayRegistryArtifact,
  bywayTokenArtifact,
  poseidonT2Artifact,
  poseidonT3Artifact,
  poseidonT4Artifact,
  serviceProofsArtifact,
} from '../artifacts/index.ts'
import { hexOf } from '../contracts/bytes.ts'
import { chainError } from '../errors.ts'
import { linkArtifact, type Artifact } from '../link-artifact.ts'
import type { LaneTransaction, TransactionLane } from '../transaction-lane.ts'
import type {
  ContractParameters,
  DeployedContract,
  DeployedName,
  DeploymentRecord,
} from './deployment.ts'
import { assertDeployable, type ProofContracts } from './proof-contracts.ts'

export type DeployOptions = {
  /** Of the deployer, with nothing pending. Someone must keep looking with it. */
  readonly lane: TransactionLane
  readonly chainId: number
  readonly parameters: ContractParameters
  /** What checks proofs, and what its keys are worth. */
  readonly proofContracts: ProofContracts
  /** A token that is there, 20 bytes; without it a worthless one is made, on a local chain only. */
  readonly token?: Uint8Array | undefined
  readonly signal: AbortSignal
}

// Local limits (tunable): docs/LIMITS.md.
/** The largest of the contracts, a Poseidon library, takes a third of it. */
const DEPLOY_GAS = 16_000_000n
const COMPILER = 'solc 0.8.37'

/**
 * Deploys and waits until all is settled.
 * @throws CHAIN_DEVELOPMENT_SET_UP and CHAIN_NO_TOKEN on any chain but a local one, CHAIN_DEPLOY when nonces did not come in a row, and what the lane throws
 */
export async function deployContracts(options: DeployOptions): Promise<DeploymentRecord> {
  const { lane, chainId, parameters: p, proofContracts } = options
  // Said before anything is paid; the contracts say so as well.
  assertDeployable(proofContracts, chainId, options.token)
  const made = new Map<DeployedName, Made>()
  const make = async (name: DeployedName, artifact: Artifact, code: Hex): Promise<Hex> => {
    const one = await makeContract(options, name, artifact, code)
    made.set(name, one)
    return one.address
  }
  const token = options.token
    ? hexOf(options.token)
    : await make('token', bywayTokenArtifact, bywayTokenArtifact.bytecode)
  const libraries = {
    PoseidonT2: await make('poseidonT2', poseidonT2Artifact, poseidonT2Artifact.bytecode),
    PoseidonT3: await make('poseidonT3', poseidonT3Artifact, poseidonT3Artifact.bytecode),
    PoseidonT4: await make('poseidonT4', poseidonT4Artifact, poseidonT4Artifact.bytecode),
  }
  const authoriser = await make(
    'authoriser',
    proofContracts.authoriser,
    encodeDeployData({
      abi: proofContracts.authoriser.abi,
      bytecode: proofContracts.authoriser.bytecode,
      args: [p.winValue, BigInt(p.winsPerSlot), p.bond, p.unit],
    }),
  )
  const { bytecode: auditorCode } = proofContracts.auditor
  const auditor = await make('auditor', proofContracts.auditor, auditorCode)
  const nonce = 1 + (made.get('auditor')?.sent.nonce ?? 0)
  const addressAt = (skip: number): Hex =>
    getContractAddress({ from: hexOf(lane.account), nonce: BigInt(nonce + skip) })
  const [pool, proofs] = [addressAt(1), addressAt(2)]
  const registry = await make(
    'registry',
    bywayRegistryArtifact,
    registryCode(token, pool, proofs, p),
  )
  // The pool's constructor asks the registry.
  await made.get('registry')?.sent.confirmed
  const code = poolCode({ token, registry, authoriser, proofs }, libraries, p)
  if ((await make('pool', bywayPoolArtifact, code)) !== pool.toLowerCase()) {
    throw chainError('CHAIN_DEPLOY', { step: 'pool' })
  }
  // This one's constructor asks both.
  await made.get('pool')?.sent.confirmed
  await make('serviceProofs', serviceProofsArtifact, proofsCode(pool, auditor, p))
  return recordOf(options, token, await settled(made))
}

type Made = { readonly address: Hex; readonly artifact: Artifact; readonly sent: LaneTransaction }

async function makeContract(
  { lane, signal }: DeployOptions,
  name: DeployedName,
  artifact: Artifact,
  code: Hex,
): Promise<Made> {
  const call = { key: `deploy:${name}`, to: undefined, data: hexToBytes(code), value: 0n }
  const sent = await lane.send({ ...call, gasCap: DEPLOY_GAS }, signal)
  const address = getContractAddress({ from: hexOf(lane.account), nonce: BigInt(sent.nonce) })
  return { address: address.toLowerCase() as Hex, artifact, sent }
}

function registryCode(token: Hex, pool: Hex, proofs: Hex, p: ContractParameters): Hex {
  const { abi, bytecode } = bywayRegistryArtifact
  const args = [token, pool, proofs, p.minStake, p.unbondingDelayS, p.payoutDelayS] as const
  return encodeDeployData({ abi, bytecode, args })
}

function poolCode(
  addresses: {
    readonly token: Hex
    readonly registry: Hex
    readonly authoriser: Hex
    readonly proofs: Hex
  },
  libraries: Readonly<Record<string, string>>,
  p: ContractParameters,
): Hex {
  const constants = {
    ...addresses,
    holdBps: p.holdBps,
    epochDuration: p.epochS,
    winValue: p.winValue,
    winsPerSlot: p.winsPerSlot,
    bond: p.bond,
    unit: p.unit,
    lockPenalty: p.lockPenalty,
    feeBps: p.feeBps,
    treeDepth: p.treeDepth,
    snapshotInterval: p.rootIntervalS,
    lockDuration: p.lockS,
    refundDelay: p.refundDelayS,
    closeDelay: p.closeDelayS,
  }
  const bytecode = linkArtifact(bywayPoolArtifact, libraries)
  return encodeDeployData({ abi: bywayPoolArtifact.abi, bytecode, args: [constants] })
}

function proofsCode(pool: Hex, auditor: Hex, p: ContractParameters): Hex {
  const { abi, bytecode } = serviceProofsArtifact
  const constants = {
    pool,
    auditor,
    commitWindow: p.commitWindowS,
    beaconDelay: p.beaconDelayS,
    beaconSpacing: p.beaconSpacingS,
    beaconRounds: p.beaconRounds,
    challengeWindow: p.challengeWindowS,
    answerWindow: p.answerWindowS,
    challengeBond: p.challengeBond,
  }
  return encodeDeployData({ abi, bytecode, args: [constants] })
}

async function settled(
  made: ReadonlyMap<DeployedName, Made>,
): Promise<Readonly<Partial<Record<DeployedName, DeployedContract>>>> {
  const entries = [...made].map(async ([name, { address, artifact, sent }]) => {
    const { block, hash: transaction }: TransactionReceipt = await sent.confirmed
    const codeHash = createHash('sha256').update(hexToBytes(artifact.bytecode)).digest('hex')
    return [name, { address, transaction, block, codeHash }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

function recordOf(
  { lane, chainId, parameters, proofContracts }: DeployOptions,
  token: Hex,
  contracts: DeploymentRecord['contracts'],
): DeploymentRecord {
  const text = ([name, value]: [string, bigint | number]): [string, number | string] => [
    name,
    typeof value === 'bigint' ? value.toString() : value,
  ]
  return {
    version: 1,
    chainId,
    deployer: hexOf(lane.account),
    compiler: COMPILER,
    authorisation: `slot-proof-${proofContracts.setUp}`,
    contracts,
    token,
    deployBlock: contracts.pool?.block ?? 0,
    parameters: Object.fromEntries(
      Object.entries(parameters).map(text),
    ) as DeploymentRecord['parameters'],
  }
}

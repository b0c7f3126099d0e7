/**
 * What a deployment is made of and what it leaves: the constants that are fixed for good, and the record of where everything is. The record is for people and for
 * `byway deploy --json`; addresses and hashes are text in it.
 * @module
 */
import type { Hex } from '@byway/protocol/payment'

/** The contracts' constants (SPEC §13, §14). Amounts are counts of the token's smallest part, delays seconds. */
export type ContractParameters = {
  /** `V` */
  readonly winValue: bigint
  /** `K` */
  readonly winsPerSlot: number
  /** `b`; divides `V`. */
  readonly bond: bigint
  /** `u`; divides `b`. */
  readonly unit: bigint
  /** Taken from the stake for a lock that lapses. */
  readonly lockPenalty: bigint
  /** Of a win, burned; in ten-thousandths. */
  readonly feeBps: number
  /** Of a win, held back for its epoch's service proof; in ten-thousandths. */
  readonly holdBps: number
  /** Of service proofs (SPEC §17.5). */
  readonly epochS: number
  readonly commitWindowS: number
  readonly beaconDelayS: number
  readonly beaconSpacingS: number
  readonly beaconRounds: number
  readonly challengeWindowS: number
  readonly answerWindowS: number
  readonly challengeBond: bigint
  readonly treeDepth: number
  readonly rootIntervalS: number
  readonly lockS: number
  readonly refundDelayS: number
  readonly closeDelayS: number
  readonly minStake: bigint
  readonly unbondingDelayS: number
  readonly payoutDelayS: number
}

/** Names in the record. */
export type DeployedName =
  | 'token'
  | 'poseidonT2'
  | 'poseidonT3'
  | 'poseidonT4'
  | 'authoriser'
  | 'auditor'
  | 'registry'
  | 'pool'
  | 'serviceProofs'

/** One contract that was made. */
export type DeployedContract = {
  readonly address: Hex
  readonly transaction: Hex
  readonly block: number
  /** SHA-256 of its creation code before libraries were linked: what the committed artefacts have. */
  readonly codeHash: string
}

/** The record of a deployment. */
export type DeploymentRecord = {
  readonly version: 1
  readonly chainId: number
  readonly deployer: Hex
  readonly compiler: string
  /** Slot proofs, and whose keys they are under: those of a development set-up can be forged by anybody. */
  readonly authorisation: 'slot-proof-development' | 'slot-proof-ceremony'
  readonly contracts: Readonly<Partial<Record<DeployedName, DeployedContract>>>
  /** The token: made with the rest on a local chain, else one that was there. */
  readonly token: Hex
  /** The block from which the pool has a history. */
  readonly deployBlock: number
  /** Amounts in the token's smallest part, as digits; delays in seconds. */
  readonly parameters: Readonly<Record<keyof ContractParameters, number | string>>
}

/** PAYMENTS §3.1 and DESIGN §7.2 for a token of six decimals: `V` $0.10, `K` 2, `b` $0.05, `u` a fifth of that. */
export const DEFAULT_PARAMETERS: ContractParameters = {
  winValue: 100_000n,
  winsPerSlot: 2,
  bond: 50_000n,
  unit: 10_000n,
  lockPenalty: 10_000n,
  feeBps: 500,
  holdBps: 500,
  epochS: 7 * 86_400,
  commitWindowS: 72 * 3600,
  beaconDelayS: 3600,
  beaconSpacingS: 3600,
  beaconRounds: 4,
  challengeWindowS: 7 * 86_400,
  answerWindowS: 48 * 3600,
  challengeBond: 1_000_000n,
  treeDepth: 26,
  rootIntervalS: 6 * 3600,
  lockS: 3600,
  refundDelayS: 12 * 3600,
  closeDelayS: 72 * 3600,
  minStake: 10_000_000n,
  unbondingDelayS: 14 * 86_400,
  payoutDelayS: 2 * 86_400,
}

/** The same for a token of other decimals than six. */
export function scaleParameters(
  parameters: ContractParameters,
  decimals: number,
): ContractParameters {
  const scale = (amount: bigint): bigint =>
    decimals >= DEFAULT_DECIMALS
      ? amount * 10n ** BigInt(decimals - DEFAULT_DECIMALS)
      : amount / 10n ** BigInt(DEFAULT_DECIMALS - decimals)
  const { winValue, bond, unit, lockPenalty, challengeBond, minStake } = parameters
  return {
    ...parameters,
    winValue: scale(winValue),
    bond: scale(bond),
    unit: scale(unit),
    lockPenalty: scale(lockPenalty),
    challengeBond: scale(challengeBond),
    minStake: scale(minStake),
  }
}

const DEFAULT_DECIMALS = 6

/** What a network file says of a deployment. */
import type { PaymentParameters } from '@byway/protocol/directory'
import { bytesOf } from '../contracts/bytes.ts'
import { chainError } from '../errors.ts'
import type { ContractParameters, DeploymentRecord } from './deployment.ts'

/** What a deployment does not know. */
export type NetworkChoices = Pick<
  PaymentParameters,
  'rpcUrls' | 'tokenSymbol' | 'tokenDecimals' | 'issueDelayS' | 'rootMaxAgeS' | 'confirmations'
>

/** The `[payment]` table of a network over these contracts. @throws CHAIN_DEPLOY for a record without them */
export function paymentOf(
  record: DeploymentRecord,
  parameters: ContractParameters,
  choices: NetworkChoices,
): PaymentParameters {
  const { pool, registry, authoriser, serviceProofs } = record.contracts
  if (!pool || !registry || !authoriser || !serviceProofs)
    throw chainError('CHAIN_DEPLOY', { step: 'record' })
  return {
    ...choices,
    chainId: record.chainId,
    pool: bytesOf(pool.address),
    registry: bytesOf(registry.address),
    token: bytesOf(record.token),
    authoriser: bytesOf(authoriser.address),
    deployBlock: record.deployBlock,
    winValue: parameters.winValue,
    winsPerSlot: parameters.winsPerSlot,
    bond: parameters.bond,
    unit: parameters.unit,
    rootIntervalS: parameters.rootIntervalS,
    lockS: parameters.lockS,
    refundDelayS: parameters.refundDelayS,
    closeDelayS: parameters.closeDelayS,
    proofs: { epochS: parameters.epochS, contract: bytesOf(serviceProofs.address) },
  }
}

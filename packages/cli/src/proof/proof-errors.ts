/** What goes wrong with service proofs. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

/** Which part of a proof does not hold. */
export type ProofPart = 'network' | 'units' | 'audit' | 'slot' | 'root' | 'commitment' | 'beacon'

type ProofErrors = {
  /** The network's file names no epoch: nobody signs receipts. */
  PROOF_NO_EPOCHS: Record<string, never>
  /** The epoch has not ended, so that its receipts may still grow. */
  PROOF_TOO_EARLY: { epoch: number }
  /** No client has signed for anything in this epoch, or it was too long ago. */
  PROOF_NO_RECEIPTS: { epoch: number }
  /** The receipts of this store are not those that the node committed to: it was put back to another time. */
  PROOF_OTHER_RECEIPTS: { epoch: number }
  /** The epoch's beacon was not drawn yet. */
  PROOF_NO_BEACON: { epoch: number }
  /** Nobody who was asked has a proof of this epoch (0: of any). */
  PROOF_NOT_SHOWN: { epoch: number }
  /** The directory has no such node, or one that takes no pay: name it by its account. */
  PROOF_UNKNOWN_NODE: Record<string, never>
  /** The provider did not commit to this epoch: nothing of it can be challenged, and what was held back of its wins is lost to it. */
  PROOF_NO_COMMITMENT: { epoch: number }
  /** The time for challenges of this epoch is over: the commitment stands. */
  PROOF_TOO_LATE: { epoch: number }
  /** The commitment is challenged already, and may be answered until then. */
  PROOF_CHALLENGED: { epoch: number; answerByS: number }
  /** Nobody challenges it, so that there is nothing to answer. */
  PROOF_NOT_CHALLENGED: { epoch: number }
  /** The commitment was proved, paid or burned: nothing of it can change. */
  PROOF_DECIDED: { epoch: number; state: string }
  /** The published proof holds: a challenge would only cost its bond. */
  PROOF_HOLDS: { epoch: number }
  /** The chain does not answer, and alone it says whether the proof is of this pool: without its roots, commitment and beacon anybody can make one. `--no-chain` checks the form. */
  PROOF_CHAIN_AWAY: Record<string, never>
  /** The file is not a service proof, or not in its one form. */
  PROOF_FILE: Record<string, never>
  /** The proof does not hold: who published it lies, or it is for another network. */
  PROOF_FALSE: { part: ProofPart; sample?: number }
}

export type ProofError = ErrorOf<ProofErrors>

export const proofError: ErrorBuilder<ProofErrors> = errorBuilder<ProofErrors>({
  PROOF_NO_EPOCHS: ['config', 'this network has no service proofs'],
  PROOF_TOO_EARLY: ['config', 'the epoch has not ended'],
  PROOF_NO_RECEIPTS: ['config', 'there are no receipts of this epoch'],
  PROOF_OTHER_RECEIPTS: ['config', 'these are not the receipts that were committed to'],
  PROOF_NO_BEACON: ['chain', 'the beacon of this epoch is not drawn yet'],
  PROOF_NOT_SHOWN: ['network', 'nobody who was asked shows this service proof'],
  PROOF_UNKNOWN_NODE: ['network', 'the directory knows no such node'],
  PROOF_NO_COMMITMENT: ['chain', 'nothing was committed to this epoch'],
  PROOF_TOO_LATE: ['chain', 'the time for challenges is over'],
  PROOF_CHALLENGED: ['chain', 'the commitment is challenged already'],
  PROOF_NOT_CHALLENGED: ['chain', 'nobody challenges this commitment'],
  PROOF_DECIDED: ['chain', 'the commitment is decided'],
  PROOF_HOLDS: ['payment', 'the published proof holds'],
  PROOF_CHAIN_AWAY: ['chain', 'the chain does not answer, and only it can bind the proof'],
  PROOF_FILE: ['config', 'the file is not a service proof'],
  PROOF_FALSE: ['peer', 'the service proof does not hold'],
})

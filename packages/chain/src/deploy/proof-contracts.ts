/** The contracts that check proofs: whoever made their keys decides what they are worth (docs/CEREMONY.md). */
import { LOCAL_CHAIN_ID } from '../anvil/start-anvil.ts'
import {
  keySetUp,
  serviceAuditorArtifact,
  slotProofAuthoriserArtifact,
} from '../artifacts/index.ts'
import type { Hex } from '@byway/protocol/payment'
import { chainError } from '../errors.ts'
import type { Artifact } from '../link-artifact.ts'

export type ProofContracts = {
  /** `development`: anybody can forge, and the contracts revert on any chain but a local one. */
  readonly setUp: 'development' | 'ceremony'
  readonly authoriser: WithKeys<typeof slotProofAuthoriserArtifact>
  readonly auditor: WithKeys<typeof serviceAuditorArtifact>
}

/** The keys are constants in the code. */
type WithKeys<Contract> = Omit<Contract, 'bytecode'> & Artifact & { readonly bytecode: Hex }

/** Those of the repository, under the set-up that `packages/zk/artefacts/manifest.json` names. */
export const PROOF_CONTRACTS: ProofContracts = {
  setUp: keySetUp,
  authoriser: slotProofAuthoriserArtifact,
  auditor: serviceAuditorArtifact,
}

/**
 * Refuses real money for what cannot guard it.
 * @throws CHAIN_DEVELOPMENT_SET_UP, CHAIN_NO_TOKEN
 */
export function assertDeployable(
  { setUp }: ProofContracts,
  chainId: number,
  token: Uint8Array | undefined,
): void {
  if (chainId === LOCAL_CHAIN_ID) return
  if (setUp !== 'ceremony') throw chainError('CHAIN_DEVELOPMENT_SET_UP', { chainId })
  if (!token) throw chainError('CHAIN_NO_TOKEN', { chainId })
}

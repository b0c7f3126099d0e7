/** The interfaces as viem reads them: those of the compiled contracts. */
import {
  bywayPoolArtifact,
  bywayRegistryArtifact,
  bywayTokenArtifact,
  serviceProofsArtifact,
} from '../artifacts/index.ts'

export const POOL_ABI: (typeof bywayPoolArtifact)['abi'] = bywayPoolArtifact.abi
export const REGISTRY_ABI: (typeof bywayRegistryArtifact)['abi'] = bywayRegistryArtifact.abi
/** ERC-20; `mint` is the test token's alone. */
export const TOKEN_ABI: (typeof bywayTokenArtifact)['abi'] = bywayTokenArtifact.abi
export const PROOFS_ABI: (typeof serviceProofsArtifact)['abi'] = serviceProofsArtifact.abi

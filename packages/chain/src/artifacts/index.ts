// Made by `npm run contracts`. Do not edit.
export { bywayPoolArtifact } from './byway-pool.ts'
export { bywayRegistryArtifact } from './byway-registry.ts'
export { bywayTokenArtifact } from './byway-token.ts'
export { poseidonT2Artifact } from './poseidon-t2.ts'
export { poseidonT3Artifact } from './poseidon-t3.ts'
export { poseidonT4Artifact } from './poseidon-t4.ts'
export { slotProofAuthoriserArtifact } from './slot-proof-authoriser.ts'
export { unsafePlainAuthoriserArtifact } from './unsafe-plain-authoriser.ts'

/** Where a service proof comes from: a file, or the node that it is of, and those with which it left it (SPEC §17.6). */
import { open } from 'node:fs/promises'
import { findServiceProofs } from '@byway/client'
import { equalBytes, fromHex, isBywayError } from '@byway/protocol/base'
import type { NetworkParameters, PaymentParameters } from '@byway/protocol/directory'
import { SERVICE_PROOF_BYTES } from '@byway/protocol/wire'
import { decodeServiceProof } from '@byway/zk'
import { parseWhole } from '../engine/engine-options.ts'
import type { ActiveStakes } from '../network/active-stakes.ts'
import { proofError } from './proof-errors.ts'
import { verifyProof, type Verified, type VerifyOptions } from './verify-proof.ts'

const NODE_ID_BYTES = 32
const PROVIDER_BYTES = 20

/** A node id (32 bytes) or a provider (20 bytes) in hexadecimal digits; undefined for what must be a file's name. */
export function parseWhose(text: string): Uint8Array | undefined {
  const bytes = fromHex(text.replace(/^0x/, '').toLowerCase())
  return bytes && [NODE_ID_BYTES, PROVIDER_BYTES].includes(bytes.length) ? bytes : undefined
}

/** An epoch's number, a u32; undefined when none is named. @throws CLI_USAGE */
export function parseEpoch(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseWhole(text, '--epoch', 0, 2 ** 32 - 1)
}

/** No more than a proof has, and one byte to tell that there is more. @throws the system's for a file that cannot be read */
export async function readProofFile(path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(new Uint8Array(SERVICE_PROOF_BYTES + 1))
  return buffer.subarray(0, bytesRead)
}

export type FindOptions = VerifyOptions & {
  readonly network: NetworkParameters
  readonly payment: PaymentParameters
  /** Undefined where the chain was not asked. */
  readonly stakes: ActiveStakes | undefined
  readonly whose: Uint8Array
  /** 0 for the newest. */
  readonly epoch: number
  readonly nowMs: () => number
}

/** A proof that holds, as it came. */
export type Shown = { readonly verified: Verified; readonly bytes: Uint8Array }

/**
 * Asks around, and gives the first proof that holds. What somebody else gives in the node's place and does not hold says nothing against the node.
 * @throws PROOF_FALSE when the node itself shows a false one and nobody a true one, PROOF_NOT_SHOWN, and what finding and checking throw
 */
export async function findProof(options: FindOptions): Promise<Shown> {
  const { payment, whose, epoch, openChain, signal } = options
  let ownFault: Error | undefined
  const random = Math.random
  for await (const { proof: bytes, isOwn } of findServiceProofs({ ...options, random })) {
    try {
      if (!isAsked(bytes, whose, epoch)) throw proofError('PROOF_FILE', {})
      const verified = await verifyProof(bytes, payment, { openChain, signal })
      return { verified, bytes }
    } catch (error) {
      if (!isBywayError(error) || !NOT_HOLDING.has(error.code)) throw error
      if (isOwn) ownFault = error
    }
  }
  if (ownFault) throw ownFault
  throw proofError('PROOF_NOT_SHOWN', { epoch })
}

const NOT_HOLDING: ReadonlySet<string> = new Set(['PROOF_FALSE', 'PROOF_FILE'])

/** Whose node it is, the directory said. */
function isAsked(bytes: Uint8Array, whose: Uint8Array, epoch: number): boolean {
  const proof = decodeServiceProof(bytes)
  if (!proof || (epoch !== 0 && proof.epoch !== epoch)) return false
  return whose.length !== PROVIDER_BYTES || equalBytes(proof.provider, whose)
}

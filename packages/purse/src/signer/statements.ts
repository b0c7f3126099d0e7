/**
 * The statements that keys of the purse sign besides transactions, each with a label of its own in front, so that none reads as another: terms for a redeemer
 * (SPEC §14.5), a registration (SPEC §14.6), a commitment to an epoch (SPEC §17.5).
 * @module
 */
import { createHash } from 'node:crypto'
import { assert, concatBytes, utf8Bytes } from '@byway/protocol/base'
import type { CommitmentStatement, RedeemTerms, RegistrationStatement } from '../purse-types.ts'
import { ADDRESS_BYTES } from '../keys.ts'
import type { SignerRules } from './rules.ts'

const FIELD_BYTES = 32
const REDEEM_KINDS = { lock: 1, bind: 2, claim: 3 } as const

/** SPEC §14.5: what the provider promises to whoever sends its batch. */
export function redeemDigest(
  { kind, items, fee, deadlineS }: RedeemTerms,
  provider: Uint8Array,
  { chainId, pool }: SignerRules,
): Uint8Array {
  return sha256(
    'byway redeem v1',
    uint(BigInt(chainId), 32),
    pool,
    uint(BigInt(REDEEM_KINDS[kind]), 1),
    provider,
    sized(items, FIELD_BYTES),
    uint(fee, 12),
    uint(BigInt(deadlineS), 8),
  )
}

/** SPEC §14.6: the provider's consent to be registered by `owner`. */
export function registerDigest(
  { owner, nodeId, payout }: RegistrationStatement,
  { chainId, registry }: SignerRules,
): Uint8Array {
  return sha256(
    'byway register v1',
    uint(BigInt(chainId), 32),
    registry,
    sized(owner, ADDRESS_BYTES),
    sized(nodeId, FIELD_BYTES),
    sized(payout, ADDRESS_BYTES),
  )
}

/** SPEC §17.5: what the provider commits to, and the fee of whoever sends it. */
export function commitmentDigest(
  { epoch, root, total, maxUnits, fee }: CommitmentStatement,
  contract: Uint8Array,
  { chainId }: SignerRules,
): Uint8Array {
  return sha256(
    'byway service v1',
    uint(BigInt(chainId), 32),
    contract,
    uint(BigInt(epoch), 4),
    sized(root, FIELD_BYTES),
    uint(BigInt(total), 6),
    uint(BigInt(maxUnits), 6),
    uint(fee, 12),
  )
}

function sha256(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('sha256')
      .update(concatBytes(utf8Bytes(label), ...parts))
      .digest(),
  )
}

function sized(bytes: Uint8Array, length: number): Uint8Array {
  assert(bytes.length === length, 'a field of a statement has another size')
  return bytes
}

/** Big-endian. */
function uint(value: bigint, length: number): Uint8Array {
  assert(value >= 0n && value < 1n << BigInt(8 * length), 'a number of a statement is out of range')
  const bytes = new Uint8Array(length)
  let rest = value
  for (let at = length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

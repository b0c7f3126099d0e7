/** What `byway proof verify` answers. */
import { toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { u256Bytes } from '@byway/protocol/ticket'
import type { JsonObject } from '../output.ts'
import { CHAIN_CHECKS, type Verified } from '../proof/verify-proof.ts'
import { money } from './wallet-deposit.ts'

/** The answer for scripts: `holds` is null where something was not held against the chain. */
export function verifiedJson(verified: Verified): JsonObject {
  const { proof, checked, onChain } = verified
  const { provider, epoch, root, total, maxUnits, beacon, openings } = proof
  return {
    holds: notChecked(verified).length === 0 ? true : null,
    provider: `0x${toHex(provider)}`,
    epoch,
    root: `0x${toHex(u256Bytes(root))}`,
    total: Number(total),
    maxUnits: Number(maxUnits),
    beacon: `0x${toHex(u256Bytes(beacon))}`,
    slots: openings.map(({ nullifier }) => toHex(nullifier)),
    checked: ['receipts', 'slots', ...checked],
    notChecked: notChecked(verified),
    onChain: onChain
      ? { state: onChain.state, held: `${onChain.held}`, burned: `${onChain.burned}` }
      : null,
  }
}

/** The answer for people. */
export function verifiedText(verified: Verified, payment: PaymentParameters): string {
  const { proof, onChain } = verified
  const { provider, epoch, total } = proof
  const claim = `provider 0x${toHex(provider)} claims ${total} units in epoch ${epoch}`
  if (verified.checked.length === 0)
    return `the form holds, and nothing binds it to the chain: ${claim}`
  if (notChecked(verified).length > 0)
    return `the form holds, and the chain published the roots of its slots, but binds nobody to the claim: ${claim}`
  const holds = `holds: provider 0x${toHex(provider)} was paid for ${total} units in epoch ${epoch}, as the clients of its slots signed`
  if (!onChain) return holds
  return `${holds}\nof its wins in that epoch ${money({ payment }, onChain.burned)} were burned, which is what counts: receipts of its own clients cost nobody anything`
}

/** What was not held against the chain, and why; undefined where all was. */
export function missedText(verified: Verified): string | undefined {
  const missed = notChecked(verified)
  if (missed.length === 0) return undefined
  const why =
    verified.checked.length === 0
      ? 'since only the chain knows'
      : 'since the network file names no contract for service proofs'
  return `not checked, ${why}: ${missed.join(', ')}`
}

function notChecked({ checked }: Verified): readonly string[] {
  return CHAIN_CHECKS.filter((each) => !checked.includes(each))
}

/** The byte layouts of SPEC §13 and §14, written for the tests from the text alone. */
import { createHash } from 'node:crypto'
import { type Address, concat, type Hex, numberToHex, stringToHex } from 'viem'

/** SHA-256 of parts. */
export function hash(...parts: readonly Hex[]): Hex {
  return `0x${createHash('sha256')
    .update(Buffer.from(concat(parts).slice(2), 'hex'))
    .digest('hex')}`
}

/** A big-endian integer of so many bits. */
export function uint(value: bigint | number, bits: number): Hex {
  return numberToHex(BigInt(value), { size: bits / 8 })
}

export function text(value: string): Hex {
  return stringToHex(value)
}

/** A hash as a field element: without its lowest byte. */
export function toField(value: Hex): bigint {
  return BigInt(value) >> 8n
}

/** Which contract a digest is for. */
export type Place = { readonly chainId: bigint; readonly contract: Address }

function at({ chainId, contract }: Place): Hex {
  return concat([uint(chainId, 256), contract])
}

export function poolDomain(pool: Place): bigint {
  return toField(hash(text('byway pool v1'), at(pool)))
}

export function ticketDomain(pool: Place): Hex {
  return hash(text('byway ticket v1'), at(pool))
}

export function profileTag(winValue: bigint, winsPerSlot: number, bond: bigint): bigint {
  return toField(
    hash(text('byway profile v1'), uint(winValue, 256), uint(winsPerSlot, 256), uint(bond, 256)),
  )
}

export function openingX(sessionKey: Address, receiptKey: Hex): bigint {
  return toField(hash(openingSaid(sessionKey, receiptKey)))
}

/** The bytes whose hash an opening's proof is bound to. */
export function openingSaid(sessionKey: Address, receiptKey: Hex): Hex {
  return concat([text('byway slot v1'), sessionKey, receiptKey])
}

export function refundSaid(idc: bigint, feeTo: Address, attempt = 0): Hex {
  return concat([text('byway refund v1'), uint(idc, 256), feeTo, uint(attempt, 32)])
}

export function withdrawalSaid(to: Address, feeTo?: Address): Hex {
  return concat([text('byway withdraw v1'), to, Number(feeTo ?? 0) === 0 ? '0x' : (feeTo ?? '0x')])
}

/** `feeTo` zero, or left out, where nobody gets a fee. */
export function withdrawalX(to: Address, feeTo?: Address): bigint {
  return toField(hash(withdrawalSaid(to, feeTo)))
}

export function joinX(pool: Place, idc: bigint, feeTo: Address): bigint {
  return toField(hash(text('byway join v1'), at(pool), uint(idc, 256), feeTo))
}

/** Stands where the pool's domain stands in nullifiers of slots. */
export const REST: bigint = toField(hash(text('byway rest v1')))

export type TicketFields = {
  readonly provider: Address
  readonly nullifier: bigint
  readonly index: number
  readonly amount: bigint
  readonly commit: Hex
  readonly nonce: Hex
}

export function ticketDigest(pool: Place, ticket: TicketFields): Hex {
  return hash(
    ticketDomain(pool),
    ticket.provider,
    uint(ticket.nullifier, 256),
    uint(ticket.index, 32),
    uint(ticket.amount, 96),
    ticket.commit,
    ticket.nonce,
  )
}

export function isWin(digest: Hex, reveal: Hex, amount: bigint, winValue: bigint): boolean {
  const drawn = BigInt(hash(reveal, digest)) >> 96n
  return drawn * winValue < amount << 160n
}

export function returnDigest(pool: Place, nullifier: bigint, idc: bigint, feeTo: Address): Hex {
  return hash(text('byway return v1'), at(pool), uint(nullifier, 256), uint(idc, 256), feeTo)
}

export const LOCK_KIND = 1
export const BIND_KIND = 2
export const CLAIM_KIND = 3

export function redeemDigest(
  pool: Place,
  kind: number,
  provider: Address,
  items: readonly Hex[],
  fee: bigint,
  deadline: bigint,
): Hex {
  return hash(
    text('byway redeem v1'),
    at(pool),
    uint(kind, 8),
    provider,
    hash(...items),
    uint(fee, 96),
    uint(deadline, 64),
  )
}

export function registerDigest(registry: Place, owner: Address, nodeId: Hex, payout: Address): Hex {
  return hash(text('byway register v1'), at(registry), owner, nodeId, payout)
}

export function plainDigest(root: bigint, nullifier: bigint, domain: bigint, x: bigint): Hex {
  return hash(
    text('byway plain v1'),
    uint(root, 256),
    uint(nullifier, 256),
    uint(domain, 256),
    uint(x, 256),
  )
}

/** What is proved of one slot. */
export type Shown = { readonly root: bigint; readonly nullifier: bigint; readonly x: bigint }

/** Statements and proofs as `verifyAll` wants them; of a place that has no statement or no proof, what there is. */
export function proofBytes(shown: readonly Shown[], proofs: readonly Hex[]): Hex {
  const count = Math.max(shown.length, proofs.length)
  const entry = (_: unknown, i: number): Hex => {
    const [one, proof = '0x'] = [shown[i], proofs[i]]
    const head = one ? [one.root, one.nullifier, one.x] : []
    const length = uint((proof.length - 2) / 2, 256)
    return concat([...head.map((word) => uint(word, 256)), length, proof])
  }
  return count === 0 ? '0x' : concat(Array.from({ length: count }, entry))
}

/**
 * Finds a purse's deposits among the chain's leaves. Nothing about them is kept on disk: the owners' secrets follow from the keys, and the chain knows the rest. So words alone
 * bring everything back.
 * @module
 */
import type { Poseidon } from '@byway/protocol/crypto'
import type { DepositLeaf } from '@byway/protocol/payment'
import { identityCommitment } from '@byway/protocol/ticket'
import type { DepositOwner, Purse } from './purse-types.ts'

/** How a deposit came to the purse. */
export type DepositKind = 'deposit' | 'voucher' | 'redeemed'

/** One leaf that the purse can spend. */
export type FoundDeposit = {
  readonly owner: DepositOwner
  /** `voucher`: made here to be given away; whoever has the voucher can spend it. `redeemed`: taken in, most likely from somebody else, who can spend it too. */
  readonly kind: DepositKind
  /** Number of the owner within its kind. */
  readonly number: number
  /** Of the leaf. */
  readonly leafIndex: number
  /** Units of leaves. */
  readonly limit: number
  /** False: its slots may have been shown by somebody who forgot it, so none is shown or withdrawn. */
  readonly isPastKnown: boolean
}

/** What was found, and which owners come next. */
export type FoundDeposits = {
  readonly deposits: readonly FoundDeposit[]
  /** First owner that has no leaf: for the next deposit, voucher, or rest of a slot. */
  readonly nextDeposit: number
  readonly nextVoucher: number
}

// Local limits (tunable): docs/LIMITS.md.
/** So many owners in a row without a leaf end the search: slots that are on their way back, deposits that were never mined, and those passed over after lost records leave gaps. */
const GAP_LIMIT = 128

/**
 * Looks for the purse's leaves. `leaves` are all of them, in the chain's order. An owner with several leaves counts with its largest: the contract lets the limits
 * of one of them be used (SPEC §14.1).
 */
export async function findDeposits(
  purse: Purse,
  leaves: readonly DepositLeaf[],
  poseidon: Poseidon,
): Promise<FoundDeposits> {
  const largest = new Map<bigint, DepositLeaf>()
  for (const leaf of leaves) {
    const before = largest.get(leaf.idc)
    if (!before || leaf.limit > before.limit) largest.set(leaf.idc, leaf)
  }
  const { depositsFrom = Number.POSITIVE_INFINITY, redeemedFrom } = purse.past
  const leafOf = (owner: DepositOwner): DepositLeaf | undefined =>
    largest.get(commitmentOf(owner, poseidon))
  const own = await findNumbered({
    kind: 'deposit',
    ownerOf: (number) => purse.depositOwner(number),
    leafOf,
    knownFrom: depositsFrom,
  })
  const vouchers = await findNumbered({
    kind: 'voucher',
    ownerOf: (number) => purse.voucherOwner(number),
    leafOf,
    // Whoever got it may have shown it.
    knownFrom: Number.POSITIVE_INFINITY,
  })
  const redeemed = (await purse.redeemedOwners()).flatMap((owner, number): FoundDeposit[] => {
    const leaf = leafOf(owner)
    return leaf
      ? [
          {
            ...placeOf(leaf),
            owner,
            kind: 'redeemed',
            number,
            isPastKnown: number >= redeemedFrom,
          },
        ]
      : []
  })
  // Who takes a voucher of his own back has it once.
  const takenBack = new Set(redeemed.map(({ leafIndex }) => leafIndex))
  const given = vouchers.deposits.filter(({ leafIndex }) => !takenBack.has(leafIndex))
  return {
    deposits: [...own.deposits, ...given, ...redeemed],
    nextDeposit: own.next,
    nextVoucher: vouchers.next,
  }
}

/** A hash of half a millisecond, and a purse is looked through again and again. */
function commitmentOf(owner: DepositOwner, poseidon: Poseidon): bigint {
  const known = COMMITMENTS.get(owner) ?? identityCommitment(poseidon, owner.secret)
  COMMITMENTS.set(owner, known)
  return known
}

/** Goes with its purse. */
const COMMITMENTS = new WeakMap<DepositOwner, bigint>()

type Search = {
  readonly kind: DepositKind
  readonly ownerOf: (number: number) => Promise<DepositOwner>
  readonly leafOf: (owner: DepositOwner) => DepositLeaf | undefined
  readonly knownFrom: number
}

async function findNumbered(
  search: Search,
): Promise<{ readonly deposits: readonly FoundDeposit[]; readonly next: number }> {
  const { kind, knownFrom } = search
  const deposits: FoundDeposit[] = []
  let next = 0
  for (let number = 0; number < next + GAP_LIMIT; number++) {
    const owner = await search.ownerOf(number)
    const leaf = search.leafOf(owner)
    if (!leaf) continue
    deposits.push({ ...placeOf(leaf), owner, kind, number, isPastKnown: number >= knownFrom })
    next = number + 1
  }
  return { deposits, next }
}

function placeOf({ index, limit }: DepositLeaf): Pick<FoundDeposit, 'leafIndex' | 'limit'> {
  return { leafIndex: index, limit }
}

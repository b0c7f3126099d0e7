/**
 * The calls that the signer knows (docs/SPEC.md §14), by account and contract. What is not here is not signed: transfers of tokens to strangers, new contracts, and calls
 * of the registry but one: stake and payout address move with the owner's key only, which is not in the purse.
 * @module
 */
import { toFunctionSelector } from 'viem/utils'
import { toHex } from '@byway/protocol/base'
import type { PayingAccount } from '../purse-types.ts'

/** Which contract a call goes to. */
export type CallTarget = 'pool' | 'registry' | 'token' | 'proofs'

/** Which accounts the word at `word` of the arguments (counted from 0) may name. */
export type AddressArgument = {
  readonly word: number
  /** `pool`, `proofs`: that contract. `own`: an account of the purse, or one of the rules' recipients. */
  readonly of: 'pool' | 'proofs' | 'own'
}

const TERMS = '(uint96,uint64,bytes)'
const TICKET = '(uint32,uint96,bytes32,bytes16,bytes)'
const OPENING = '(uint256,uint256,address,bytes32,bytes)'
const DESTINATION = '(uint256,address,bytes)'
const BOUND_SLOT = '(uint256,address,address)'
const UNUSED = '(uint256,uint256,bytes)'
const RECEIVER = '(address,address)'
const EVIDENCE = '(uint256,bytes,bytes)'
const SIGNED_TICKET = '(address,uint32,uint96,bytes32,bytes16,bytes)'

type Row = readonly [
  target: CallTarget,
  accounts: readonly PayingAccount[],
  signature: string,
  ...named: readonly AddressArgument[],
]

const BOTH = ['funds', 'provider'] as const

/** One row is one function. */
export const ALLOWED_CALLS: readonly Row[] = [
  ['token', ['funds'], 'approve(address,uint256)', { word: 0, of: 'pool' }],
  ['token', BOTH, 'transfer(address,uint256)', { word: 0, of: 'own' }],
  ['pool', ['funds'], 'deposit(uint256,uint32)'],
  ['pool', ['funds'], `withdrawUnused(${UNUSED}[],address)`, { word: 1, of: 'own' }],
  ['pool', BOTH, 'snapshot()'],
  ['pool', BOTH, 'lock(bytes)'],
  ['pool', BOTH, `bind((address,${OPENING}[],${TICKET}[],${TERMS})[])`],
  ['pool', BOTH, 'claimMore(bytes)'],
  ['pool', BOTH, 'settleLocks(uint256[])'],
  ['pool', BOTH, 'refund((uint256,uint256,uint256,address,uint32,bytes)[])'],
  ['pool', BOTH, 'finishRefund((uint256,uint256,address)[])'],
  ['pool', BOTH, `close(${BOUND_SLOT}[],${DESTINATION}[])`],
  ['pool', BOTH, `finishClose(${BOUND_SLOT}[],${DESTINATION}[])`],
  // A relayer's: it sends what others signed, and each proof names its receiver.
  ['pool', ['provider'], `withdrawThrough(${UNUSED}[],${RECEIVER}[])`],
  [
    'pool',
    ['provider'],
    `withdrawPart((uint256,uint256[16],uint256,uint256,bytes)[],${RECEIVER}[])`,
  ],
  ['pool', BOTH, 'join((uint256,uint256[4],uint256,uint256,address,bytes)[])'],
  ['pool', BOTH, 'finishWithdraw(uint256[])'],
  ['pool', BOTH, `conflictOpenings(uint256,${EVIDENCE},${EVIDENCE})`],
  ['pool', BOTH, `conflictTickets(${OPENING},${SIGNED_TICKET},${SIGNED_TICKET})`],
  ['pool', BOTH, 'payout(address)'],
  ['pool', BOTH, 'burn()'],
  // Nothing of ours goes out: what is taken is the liar's.
  ['registry', ['provider'], 'slashEditions(address,bytes,bytes)'],
  // Money of theirs goes to payout addresses, challengers, who sends for another, and the burn address only.
  ['proofs', ['provider'], 'commit(address,uint32,uint256,uint48,uint48,uint96,bytes)'],
  ['proofs', ['provider'], 'draw(uint32,bytes,bytes)'],
  ['proofs', BOTH, `answer(address,uint32,${OPENING}[12],bytes)`],
  ['proofs', BOTH, 'slash(address,uint32)'],
  ['proofs', ['provider'], 'settle(address,uint32)'],
]

/** Calls of who challenges a service proof, besides: its bond may go to whom it challenges, so that a signer signs them only for a command in which a person has said so. */
export const CHALLENGE_CALLS: readonly Row[] = [
  ['token', ['funds'], 'approve(address,uint256)', { word: 0, of: 'proofs' }],
  ['proofs', ['funds'], 'challenge(address,uint32)'],
]

/** A row that was looked up. */
export type AllowedCall = {
  readonly accounts: readonly PayingAccount[]
  readonly named: readonly AddressArgument[]
}

type BySelector = ReadonlyMap<string, AllowedCall>

const bySelector = (rows: readonly Row[]): BySelector =>
  new Map(
    rows.map(([target, accounts, signature, ...named]) => [
      `${target} ${toFunctionSelector(`function ${signature}`)}`,
      { accounts, named },
    ]),
  )

const ALWAYS = bySelector(ALLOWED_CALLS)
const OF_CHALLENGES = bySelector(CHALLENGE_CALLS)

export const SELECTOR_BYTES = 4

/** The rows for a call's first four bytes: it must keep one of them. */
export function allowedCalls(
  target: CallTarget,
  data: Uint8Array,
  mayChallenge: boolean,
): readonly AllowedCall[] {
  const name = `${target} 0x${toHex(data.subarray(0, SELECTOR_BYTES))}`
  const tables = mayChallenge ? [ALWAYS, OF_CHALLENGES] : [ALWAYS]
  return tables.flatMap((table) => table.get(name) ?? [])
}

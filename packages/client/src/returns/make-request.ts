/** Makes what a relayer is told (SPEC §15.8): a proof that names where the slot goes, or, of a bound one, both steps signed by its session key. @module */
import type { TicketCrypto } from '@byway/protocol/crypto'
import { identityCommitment, returnDigest, u256Bytes } from '@byway/protocol/ticket'
import type { Pool } from '@byway/protocol/ticket'
import { decodePayMessage, PAY, RETURN_KIND } from '@byway/protocol/wire'
import type { ReturnDestination, ReturnRequest } from '@byway/protocol/wire'
import type { SlotAuthoriser } from '../money/ports.ts'
import type { ReturnRecord, SlotFact } from './ports.ts'

export type MakeRequestDeps = {
  readonly crypto: TicketCrypto
  readonly pool: Pool
  readonly authoriser: Pick<
    SlotAuthoriser,
    'refundFor' | 'sessionKeyFor' | 'withdrawalFor' | 'joiningFor'
  >
  /** The secret of the purse's deposit with this number (SPEC §13.3). */
  readonly ownerSecret: (number: number) => Promise<bigint>
  /** Whether the chain has this root now: a reorganisation may take it. */
  readonly isPublished: (root: Uint8Array, signal: AbortSignal) => Promise<boolean>
}

/**
 * The request for a slot, or for a joining, in its present state; undefined where it is not one to ask for, or not yet.
 * @throws what the authoriser throws, or the signal's reason
 */
export async function makeRequest(
  deps: MakeRequestDeps,
  record: ReturnRecord,
  { state, provider }: SlotFact,
  feeTo: Uint8Array,
  signal: AbortSignal,
): Promise<ReturnRequest | undefined> {
  const { nullifier } = record
  const isUnused = state === 'none' || state === 'lapsed'
  if (record.kind === 'withdraw') {
    if (!isUnused) return undefined
    const proven = await deps.authoriser.withdrawalFor(nullifier, record.to, feeTo, signal)
    return { kind: RETURN_KIND.WITHDRAW, nullifier, to: record.to, feeTo, ...proven }
  }
  if (record.kind === 'join') {
    if (!isUnused) return undefined
    const idc = await commitmentOf(deps, record)
    const proven = await deps.authoriser.joiningFor(record.rests, { idc, feeTo }, signal)
    return { kind: RETURN_KIND.JOIN, ...proven, idc: u256Bytes(idc), feeTo }
  }
  if (isUnused || state === 'refunding') {
    const terms = { idc: await commitmentOf(deps, record), feeTo, attempt: nextAttempt(record) }
    const proven = await deps.authoriser.refundFor(nullifier, terms, signal)
    return { kind: RETURN_KIND.REFUND, nullifier, ...proven, ...terms, idc: u256Bytes(terms.idc) }
  }
  if (!provider || (state !== 'bound' && state !== 'closing')) return undefined
  const sessionKey = deps.crypto.addressOfSecret(deps.authoriser.sessionKeyFor(nullifier))
  const destination = await destinationOf(deps, record, feeTo)
  return { kind: RETURN_KIND.CLOSE, nullifier, provider, sessionKey, destination }
}

/**
 * A withdrawal that was told already: in the same bytes, or, where its root is gone, proved under the present one for the same receivers. Two proofs of a slot are a conflict where they
 * are for different `x` (SPEC §14.4), and `x` is these receivers and nothing else. Undefined where nothing was told.
 * @throws what the chain and the authoriser throw, or the signal's reason
 */
export async function withdrawalAgain(
  { authoriser, isPublished }: Pick<MakeRequestDeps, 'authoriser' | 'isPublished'>,
  { body }: Pick<ReturnRecord, 'body'>,
  signal: AbortSignal,
): Promise<ReturnRequest | undefined> {
  const told = requestIn(body)
  if (told?.kind !== RETURN_KIND.WITHDRAW || (await isPublished(told.root, signal))) return told
  const { nullifier, to, feeTo } = told
  return { ...told, ...(await authoriser.withdrawalFor(nullifier, to, feeTo, signal)) }
}

/** What a relayer was told; undefined for anything else. */
export function requestIn(body: Uint8Array): ReturnRequest | undefined {
  const message = decodePayMessage(body)
  const isRequest = message.kind === PAY.RETURN && message.request.kind !== RETURN_KIND.ASK
  return isRequest ? message.request : undefined
}

/** The attempt that counts before any that was told. After lost state it may be too early a one, and then the next is later. */
export function nextAttempt({ body }: Pick<ReturnRecord, 'body'>): number {
  const told = body.length > 0 ? requestIn(body) : undefined
  return told?.kind === RETURN_KIND.REFUND ? told.attempt + 1 : 0
}

async function destinationOf(
  deps: MakeRequestDeps,
  record: ReturnRecord,
  feeTo: Uint8Array,
): Promise<ReturnDestination> {
  const { crypto, pool, authoriser } = deps
  const { nullifier } = record
  const idc = await commitmentOf(deps, record)
  const digest = returnDigest(crypto, pool, { nullifier, idc, feeTo })
  const signature = crypto.signDigest(authoriser.sessionKeyFor(nullifier), digest)
  return { idc: u256Bytes(idc), feeTo, signature }
}

/** Of the deposit that was set aside for it. */
async function commitmentOf(
  { crypto, ownerSecret }: MakeRequestDeps,
  { owner }: ReturnRecord,
): Promise<bigint> {
  return identityCommitment(crypto, await ownerSecret(owner))
}

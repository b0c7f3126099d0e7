/** What a client of the linkage test asks relayers for, by its own code (SPEC §15.8). */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { JOIN_FEE_UNITS } from '@byway/protocol/ticket'
import { MAX_JOINED_LEAVES, RETURN_KIND, type ReturnRequest } from '@byway/protocol/wire'
import type { SlotAuthoriser } from '../../src/money/ports.ts'
import { makeRequest } from '../../src/returns/make-request.ts'
import type { ReturnRecord } from '../../src/returns/ports.ts'
import { NEVER, type TestJournal } from '../money/money-world.ts'
import { POOL } from '../money/test-hop.ts'
import { shuffled } from './observations.ts'

export type Returning = { readonly authoriser: SlotAuthoriser; readonly journal: TestJournal }

/** What is told to a relayer, and the deposit that becomes of it. */
export type Returned = {
  readonly request: ReturnRequest
  readonly secret: bigint
  readonly limit: number
}

/** A slot that nobody won in comes back, less a unit for the relayer. */
export async function giveBack(
  client: Returning,
  nullifier: Uint8Array,
  feeTo: Uint8Array,
): Promise<Returned> {
  const made = await requestOf(client, { nullifier, kind: 'back', rests: [] }, feeTo)
  return { ...made, limit: POOL.unitsPerSlot - 1 }
}

/** Up to four rests become one leaf; nothing where there are fewer than two that were not joined yet. @param joined - takes their names */
export async function joinRests(
  client: Returning,
  joined: Set<string>,
  feeTo: Uint8Array,
  random: () => number,
): Promise<Returned | undefined> {
  const { authoriser } = client
  await authoriser.slots(NEVER)
  const left = (await authoriser.leafRests(NEVER)).filter(({ rest }) => !joined.has(toHex(rest)))
  const chosen = shuffled(left, random).slice(0, MAX_JOINED_LEAVES)
  const [first, second] = chosen
  if (!first || !second) return undefined
  for (const { rest } of chosen) joined.add(toHex(rest))
  const rests = chosen.map(({ rest }) => rest)
  const made = await requestOf(client, { nullifier: first.rest, kind: 'join', rests }, feeTo)
  assert.ok(made.request.kind === RETURN_KIND.JOIN)
  return { ...made, limit: made.request.units - JOIN_FEE_UNITS }
}

async function requestOf(
  client: Returning,
  order: Pick<ReturnRecord, 'nullifier' | 'kind' | 'rests'>,
  feeTo: Uint8Array,
): Promise<Pick<Returned, 'request' | 'secret'>> {
  const secret = freshSecret()
  const deps = {
    ...client,
    crypto: nodeTicketCrypto,
    pool: POOL,
    ownerSecret: () => Promise.resolve(secret),
    isPublished: () => Promise.resolve(true),
  }
  const record: ReturnRecord = {
    ...order,
    owner: 0,
    to: new Uint8Array(),
    state: 'waiting',
    dueMs: 0,
    relay: undefined,
    body: new Uint8Array(),
  }
  const fact = { state: 'none', provider: undefined } as const
  const request = await makeRequest(deps, record, fact, feeTo, NEVER)
  return { request: request ?? assert.fail('there is something to ask for'), secret }
}

/** A secret of a deposit. */
export function freshSecret(): bigint {
  return BigInt(`0x${randomBytes(31).toString('hex')}`)
}

/** What a client of the linkage test asks relayers for, by its own code (SPEC §15.8). */
import assert from 'node:assert/strict'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { JOIN_FEE_UNITS } from '@byway/protocol/ticket'
import { MAX_JOINED_LEAVES, RETURN_KIND, type ReturnRequest } from '@byway/protocol/wire'
import type { SlotAuthoriser } from '../../src/money/ports.ts'
import { makeRequest } from '../../src/returns/make-request.ts'
import type { ReturnRecord, SlotFact } from '../../src/returns/ports.ts'
import { NEVER, type TestJournal } from '../money/money-world.ts'
import { POOL } from '../money/test-hop.ts'
import { freshSecret } from './key-stream.ts'
import { shuffled } from './observations.ts'

export type Returning = {
  readonly authoriser: SlotAuthoriser
  readonly journal: TestJournal
  readonly randomBytes: (count: number) => Uint8Array
}

/** What is told to a relayer, and the deposit that becomes of it. */
export type Returned = {
  readonly request: ReturnRequest
  readonly secret: bigint
  readonly limit: number
}

/** A slot comes back: less a unit for the relayer, and what was won in it by the provider to whom it is bound. */
export async function giveBack(
  client: Returning,
  nullifier: Uint8Array,
  feeTo: Uint8Array,
  bound: { readonly provider: Uint8Array; readonly wins: number } | undefined,
): Promise<Returned> {
  const fact: SlotFact = bound ? { state: 'bound', ...bound } : UNUSED
  const order = { nullifier, kind: 'back', to: NOBODY, rests: [] } as const
  const made = await requestOf(client, order, fact, feeTo)
  const perWin = Number(POOL.faceValue / POOL.unit)
  return { ...made, limit: POOL.unitsPerSlot - 1 - perWin * (bound?.wins ?? 0) }
}

/** A slot that was never shown is paid out, to an address of its own. */
export async function withdraw(
  client: Returning,
  nullifier: Uint8Array,
  feeTo: Uint8Array,
): Promise<ReturnRequest> {
  const order = { nullifier, kind: 'withdraw', to: client.randomBytes(20), rests: [] } as const
  return (await requestOf(client, order, UNUSED, feeTo)).request
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
  const order = { nullifier: first.rest, kind: 'join', to: NOBODY, rests } as const
  const made = await requestOf(client, order, UNUSED, feeTo)
  assert.ok(made.request.kind === RETURN_KIND.JOIN)
  return { ...made, limit: made.request.units - JOIN_FEE_UNITS }
}

const UNUSED: SlotFact = { state: 'none', provider: undefined }
const NOBODY = new Uint8Array()

async function requestOf(
  client: Returning,
  order: Pick<ReturnRecord, 'nullifier' | 'kind' | 'to' | 'rests'>,
  fact: SlotFact,
  feeTo: Uint8Array,
): Promise<Pick<Returned, 'request' | 'secret'>> {
  const secret = freshSecret(client.randomBytes)
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
    state: 'waiting',
    dueMs: 0,
    relay: undefined,
    body: new Uint8Array(),
  }
  const request = await makeRequest(deps, record, fact, feeTo, NEVER)
  return { request: request ?? assert.fail('there is something to ask for'), secret }
}

/** What becomes of slots on the chain: wins are paid, what is left comes back through relayers, and is joined. Slots of all clients in one order, drawn at random, each told by itself. */
import assert from 'node:assert/strict'
import { toHex } from '@byway/protocol/base'
import type { SlotState } from '@byway/protocol/payment'
import { slotNullifier, u256Bytes } from '@byway/protocol/ticket'
import { PAY, REDEEM_ANSWER, RETURN_KIND } from '@byway/protocol/wire'
import type { ClientPayMessage, ReturnRequest } from '@byway/protocol/wire'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { SlotRecord } from '../../src/money/ports.ts'
import { NEVER } from '../money/money-world.ts'
import { leaveReturn } from '../../src/returns/relay-visit.ts'
import { POOL } from '../money/test-hop.ts'
import { answeringHop, type Say } from './answering-hop.ts'
import type { ChainList, Win } from './chain-list.ts'
import { shuffled } from './observations.ts'
import { type Client, type Hop, openControlTo, type Paying } from './paying.ts'
import { placeOf } from './recorder.ts'
import { giveBack, joinRests, withdraw } from './returning.ts'

export type WayBackDeps = {
  readonly clients: readonly Client[]
  readonly paying: Paying
  readonly chain: ChainList
  readonly random: () => number
}

/** How often each thing happened, by the name of the pool's call. */
export type WayBack = {
  readonly done: ReadonlyMap<string, number>
  run(): Promise<void>
}

type Relay = { readonly hop: Hop; readonly feeTo: Uint8Array }
/** Names of the pool's calls. */
type Steps = readonly [string, string]
type States = readonly [SlotState, SlotState]

/** Slots of one deposit that are paid out by one proof. */
const PART_SLOTS = 2
/** Of a proof. */
const PROOF_BYTES = 256

export function createWayBack(deps: WayBackDeps): WayBack {
  const { clients, paying, chain, random } = deps
  const { hops, recorder } = paying
  const done = new Map<string, number>()
  const joined = new Set<string>()
  let [joinings, parts] = [0, 0]
  const count = (name: string): void => void done.set(name, (done.get(name) ?? 0) + 1)
  /** Drawn anew for each. */
  const relay = (): Relay => {
    const hop = hops[Math.floor(random() * hops.length)] ?? assert.fail()
    const { provider } = hop.pay.node.entry.descriptor
    return { hop, feeTo: provider ?? assert.fail() }
  }

  /** Told to a relayer, over a circuit of its own. */
  async function tell(
    client: Client,
    { hop }: Relay,
    unit: string,
    call: string,
    request: ReturnRequest,
  ): Promise<void> {
    const place = placeOf(unit)
    const carrier = recorder.carrier(client.number, call, answeringHop(takeReturn), place)
    const way = openControlTo(paying, client, hop, { carrier, place, role: 'return' })
    const answer = await leaveReturn(way, () => Promise.resolve(request), NEVER, paying.timers)
    assert.equal(answer, REDEEM_ANSWER.TAKEN)
  }

  /** Told to a relayer, and by it to the chain, in two steps. */
  async function carryOut(
    client: Client,
    to: Relay,
    unit: string,
    [call, finish]: Steps,
    request: ReturnRequest,
    nullifier: Uint8Array,
    [first, second]: States,
  ): Promise<void> {
    const { number } = client
    await tell(client, to, unit, call, request)
    chain.change(number, unit, call, request, [nullifier], first)
    chain.change(number, unit, finish, { nullifier, ...namedAgain(request) }, [nullifier], second)
    count(call)
    count(finish)
  }

  async function giveSlotBack(client: Client, record: SlotRecord): Promise<void> {
    const { nullifier } = record
    const unit = recorder.unitOf(nullifier)
    const name = toHex(nullifier)
    const hop = hops.find(({ pay }) => pay.node.key === record.hop)?.pay ?? assert.fail('a hop')
    const wins: readonly Win[] = hop.wins.filter(({ opening }) => toHex(opening.nullifier) === name)
    const { provider } = hop.node.entry.descriptor
    assert.ok(provider)
    chain.pay(client.number, unit, provider, wins)
    if (wins.length > 0) count('bind')
    if (wins.length > 1) count('claimMore')
    await client.journal.put({ ...record, standing: 'refused' })
    // What is left of a full one is its relayer's fee.
    if (wins.length >= POOL.winsPerSlot) return
    const bound = wins.length > 0 ? { provider, wins: wins.length } : undefined
    const to = relay()
    const { request, secret, limit } = await giveBack(client, nullifier, to.feeTo, bound)
    const [steps, states]: [Steps, States] = bound
      ? [
          ['close', 'finishClose'],
          ['closing', 'closed'],
        ]
      : [
          ['refund', 'finishRefund'],
          ['refunding', 'refunded'],
        ]
    await carryOut(client, to, unit, steps, request, nullifier, states)
    client.deposits.push(chain.insert(client.number, unit, secret, limit))
  }

  /** One never-shown slot by itself through a relayer, and two by one proof, which shows that they are of one deposit, and no more. */
  async function payOut(client: Client): Promise<void> {
    const { number, journal } = client
    const shown = await journal.all()
    const taken = new Set(shown.map(({ nullifier }) => toHex(nullifier)))
    const slots = await client.authoriser.slots(NEVER)
    const { secret } = client.deposits[0] ?? assert.fail('a deposit')
    const ofFirst = new Set(
      Array.from({ length: slots.length }, (_, j) =>
        toHex(u256Bytes(slotNullifier(nodeTicketCrypto, POOL, secret, j))),
      ),
    )
    const unshown = slots
      .map(({ nullifier }) => nullifier)
      .filter((nullifier) => !taken.has(toHex(nullifier)) && ofFirst.has(toHex(nullifier)))
    const [alone, ...others] = shuffled(unshown, client.random)
    assert.ok(alone && others.length >= PART_SLOTS, `${unshown.length} slots are left`)
    const to = relay()
    const request = await withdraw(client, alone, to.feeTo)
    const [unit, steps] = [recorder.unitOf(alone), ['withdrawThrough', 'finishWithdraw'] as const]
    await carryOut(client, to, unit, steps, request, alone, ['withdrawing', 'withdrawn'])
    const together = others.slice(0, PART_SLOTS)
    const part = {
      root: u256Bytes(chain.root),
      nullifiers: together,
      proof: client.randomBytes(PROOF_BYTES),
      to: client.randomBytes(20),
      feeTo: relay().feeTo,
    }
    const name = `part ${parts++}`
    chain.change(number, name, 'withdrawPart', part, together, 'withdrawing')
    chain.change(number, name, 'finishWithdraw', { nullifiers: together }, together, 'withdrawn')
    count('withdrawPart')
    const [like] = shown
    assert.ok(like)
    // They are never shown after this.
    for (const nullifier of [alone, ...together])
      await journal.put({
        ...like,
        nullifier,
        standing: 'refused',
        opening: { ...like.opening, nullifier },
      })
  }

  /** Of each client some rests become one leaf; all under one root, as in an interval. */
  async function joinAll(): Promise<void> {
    chain.publish()
    for (const client of shuffled(clients, random)) {
      const to = relay()
      const made = await joinRests(client, joined, to.feeTo, client.random)
      if (!made) continue
      const unit = `joining ${joinings++}`
      const { request, secret, limit } = made
      await tell(client, to, unit, 'joining', request)
      chain.change(client.number, unit, 'join', request, [], 'withdrawn')
      client.deposits.push(chain.insert(client.number, unit, secret, limit))
      count('join')
    }
    chain.publish()
  }

  return {
    done,
    async run() {
      const lists = clients.map(async (client) =>
        (await client.journal.all()).map((record) => ({ client, record })),
      )
      const all = (await Promise.all(lists)).flat()
      for (const { client, record } of shuffled(all, random)) await giveSlotBack(client, record)
      for (const client of shuffled(clients, random)) await payOut(client)
      // The second time also what the leaf of the first has beyond its slots.
      for (let times = 0; times < 2; times++) await joinAll()
    },
  }
}

/** Where a slot goes, as the call that ends its way back says it once more. */
function namedAgain(request: ReturnRequest): object {
  if (request.kind === RETURN_KIND.CLOSE) return { destination: request.destination }
  if (request.kind !== RETURN_KIND.REFUND) return {}
  const { idc, feeTo } = request
  return { idc, feeTo }
}

/** A relayer that takes what it is told. */
function takeReturn(message: ClientPayMessage, say: Say): void {
  assert.equal(message.kind, PAY.RETURN)
  say({ kind: PAY.RETURNED, answer: REDEEM_ANSWER.TAKEN })
}

/**
 * Nothing links (issue: "Shown by"; THREAT-MODEL T26): over a thousand circuits of twenty clients no field that a hop or the chain sees joins two hops of a circuit, two slots, two isolation
 * keys (but at the entry, which knows its client), a later slot and one that came back, a slot and its deposit, or a joining and any of these: what SPEC §14.6 says that it shows, two to four
 * rests, their sum and the new leaf, is one unit, and nothing outside of it has a value in common. Real proofs in place of the stamps are shown to be as good as random by
 * packages/zk/test.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { seededRandom } from '../../../protocol/test/circuit/seeded.ts'
import { createLinkageWorld, type LinkageWorld } from './linkage-world.ts'
import { agreements, findSharedBytes, type Agreement, type Observation } from './observations.ts'

const CIRCUITS = 1000
const CLIENTS = 20
/** Far beyond chance; and a handful of pairs, which a rare value may make, is none. */
const MOST_SIGMAS = 6
const MOST_PAIRS = 20

const isLink = ({ pairs, sigmas }: Agreement): boolean => pairs > MOST_PAIRS && sigmas > MOST_SIGMAS

describe('all that hops and the chain see', () => {
  const random = seededRandom(2026)
  let world: LinkageWorld
  before(async () => {
    world = await createLinkageWorld({ clients: CLIENTS, hops: 4, random })
    await world.carry(CIRCUITS / 2)
    await world.takeBack()
    await world.carry(CIRCUITS / 2)
  })
  after(() => world[Symbol.asyncDispose]())

  it('is what a thousand circuits, their slots and their deposits have', () => {
    const units = new Set(world.seen.map(({ unit }) => unit))
    const count = (start: string): number =>
      [...units].filter((unit) => unit.startsWith(start)).length
    assert.equal(count('circuit '), 2 * CIRCUITS)
    assert.equal(count('deposit '), CLIENTS)
    assert.ok(count('joining ') > CLIENTS, `${count('joining ')} joinings`)
    assert.ok(count('slot ') > 2 * CLIENTS * 3, `${count('slot ')} slots`)
    const names = new Set(world.seen.map(({ name }) => name))
    for (const name of [
      'control.opening.nullifier',
      'control.signature',
      'entry.commits',
      'circuit.pay.nonce',
      'circuit.tunnelId',
      'return.request.destination.idc',
      'joining.request.rests',
      'joining.request.units',
      'joining.request.proof',
      'chain.idc',
      'deposit.from',
      'create.body',
    ])
      assert.ok(names.has(name), `${name} was seen`)
  })

  it('has no value that one client alone has in two of its units', () => {
    assert.deepEqual(findSharedBytes(world.seen), [])
  })

  it('has no number that agrees within clients more often than between them', () => {
    const found = agreements(world.seen, random).filter(isLink)
    assert.deepEqual(found, [])
  })

  it('would have shown a leak: the same test finds each of these', () => {
    const leaks: readonly [string, (one: Observation) => Uint8Array | number | undefined][] = [
      // A client's own bytes in the nonce of its tokens, at whatever hop they are spent.
      ['circuit.pay.nonce', ({ client, value }) => tagged(value, client)],
      // A session key that is used for every slot.
      ['control.opening.sessionKey', ({ client, value }) => tagged(value, client, 20)],
      // A rest that is named by its owner.
      ['joining.request.rests', ({ client, value }) => tagged(value, client)],
      // A slot that comes back to the deposit it came from.
      ['chain.idc', ({ client, value }) => tagged(value, client, 32)],
    ]
    for (const [name, leak] of leaks) {
      const leaking = world.seen
        .filter((one) => one.name === name)
        .map((one) => ({ ...one, value: leak(one) ?? one.value }))
      assert.ok(findSharedBytes(leaking).length > 0, `${name} is found`)
    }
    // A number of few bits: an index that begins where the client's last slot ended.
    const counting = world.seen
      .filter(({ name }) => name === 'control.index')
      .map((one) => ({ ...one, value: one.client % 5 }))
    assert.ok(agreements(counting, random).some(isLink))
  })
})

/** The value with eight bytes of its client's own at the front, or so many. */
function tagged(value: Uint8Array | number, client: number, bytes = 8): Uint8Array | undefined {
  if (typeof value === 'number') return undefined
  const tag = new Uint8Array(value)
  tag.fill(client + 1, 0, bytes)
  return tag
}

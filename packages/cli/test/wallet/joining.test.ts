/**
 * Leaves that came back smaller than a slot become slots again (SPEC §14.6), and so does what the new leaf has beyond its slots, on real contracts with real proofs: through a relayer that
 * never sends and one that does, over the client's death and a reorganisation, with books that balance.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { openingHolds } from '@byway/protocol/ticket'
import { RETURN_KIND, type JoinRequest } from '@byway/protocol/wire'
import { createLocalPurse } from '@byway/purse'
import { createSlotVerifier, createZkEngine } from '@byway/zk'
import { seededRandom } from '../../../protocol/test/circuit/seeded.ts'
import { bind, registerProvider } from '../commands/bound-slots.ts'
import { paidNetwork } from '../commands/paid-network.ts'
import { showSlots } from '../commands/shown-slots.ts'
import { asScript } from '../commands/wallet-person.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { beginLife, openRelay, poolOf, silentRelay, type ClientLife } from './joining-world.ts'

type Row = Readonly<Record<string, unknown>>

const SLOTS = 8
const SHOWN = 4
/** Come back later, and are joined with what the first joining left over. */
const LATER = 3
/** Fewer than the relayer waits for, and enough for the joining. */
const REORG_BLOCKS = 3

test('what came back in parts is joined, whoever dies or does nothing, and pays a hop again', async (t) => {
  const { signal } = t
  const network = await paidNetwork(t)
  const { payment, pool: calls, chain } = network
  const pool = poolOf(payment)
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  const run = async (...args: readonly string[]): Promise<Row> => {
    const script = [...args, '--json', '--network', network.file]
    const { out, err } = await asScript(script, { BYWAY_HOME: home })
    return JSON.parse(out.trim().split('\n').at(-1) || JSON.stringify({ err }))
  }
  await run('wallet', 'deposit', '--slots', String(SLOTS), '--local', '--no-wait')
  await network.run(calls.snapshot())
  const all = await showSlots(network, home, Array(SHOWN + LATER).fill('refused'), signal)
  const shown = all.slice(0, SHOWN)
  const provider = await registerProvider(network, await temporaryHome(t))
  const [won] = shown
  assert.ok(won)
  await bind(network, home, won, provider)

  const silent = silentRelay()
  await using honest = await openRelay(network, await temporaryHome(t), signal)
  let relays = [honest, silent].slice(0, 1)
  const failures: unknown[] = []
  const live = (): Promise<ClientLife> =>
    beginLife({
      network,
      home,
      signal,
      relays: () => relays,
      random: seededRandom(5),
      onFailed: (error) => failures.push(error),
    })
  const stateOf = async (nullifier: Uint8Array): Promise<string> =>
    (await chain.view.slot(nullifier, signal)).state
  const areAll = async (nullifiers: readonly Uint8Array[], ...wanted: readonly string[]) =>
    (await Promise.all(nullifiers.map(stateOf))).every((state) => wanted.includes(state))
  let client = await live()
  /** Slots come back, and a joining is queued. */
  const giveBack = async (records: typeof shown): Promise<void> => {
    const names = records.map(({ nullifier }) => nullifier)
    await client.queue.add(names.map((nullifier) => ({ nullifier, kind: 'back' })))
    await client.until(() => areAll(names, 'refunding', 'closing'))
    await network.advance(Math.max(payment.refundDelayS, payment.closeDelayS) + 1)
    await client.until(() => areAll(names, 'refunded', 'closed'))
    await network.run(calls.snapshot())
    await client.until(async () => {
      await client.authoriser.slots(signal)
      await client.joiner.look(signal)
      return client.queue.joinings.length > 0
    })
  }
  await giveBack(shown)
  const units = SHOWN * pool.unitsPerSlot - Number(payment.winValue / payment.unit) - SHOWN
  const value = BigInt(units) * payment.unit
  assert.deepEqual(client.joiner.status.joining, { rests: SHOWN, value })
  assert.deepEqual(client.joiner.status.waiting, { rests: 0, value: 0n })

  // Left with somebody who never sends it; the client dies, and another one takes it from the same disk.
  relays = [silent]
  await client.until(() => silent.told.length > 0)
  await client.die()
  const { small: asked } = (await run('wallet', 'show')) as { readonly small: Row }
  assert.deepEqual(asked['joining'], { deposits: SHOWN, value: String(value) })
  client = await live()
  relays = [honest, silent]
  const rests = client.queue.joinings.flatMap((record) => record.rests)
  assert.equal(rests.length, SHOWN)
  await client.until(() => areAll(rests, 'refunded'))
  const [first, second] = [joinsOf(silent.told)[0], joinsOf(honest.told)[0]]
  assert.ok(first && second)
  assert.deepEqual([second.rests, second.idc, second.units], [first.rests, first.idc, units])

  // The block with it is gone: the relayer sends it again, and it is joined once.
  await chain.reader.quorum.askAll('anvil_reorg', [REORG_BLOCKS, []], signal)
  assert.equal(await areAll(rests, 'none'), true)
  await client.until(() => areAll(rests, 'refunded'))
  await client.until(() => client.queue.joinings.length === 0)
  await network.run(calls.snapshot())

  const freshSlots = async () =>
    (await client.authoriser.slots(signal)).map(({ nullifier }) => nullifier).slice(SLOTS)
  const fresh = await freshSlots()
  assert.equal(fresh.length, Math.floor((units - 2) / pool.unitsPerSlot))
  const [spent] = fresh
  assert.ok(spent)
  const opening = await client.authoriser.openingFor(spent, signal)
  await client.joiner.look(signal)
  const over = (units - 2) % pool.unitsPerSlot
  const inRest = { rests: 1, value: BigInt(over) * payment.unit }
  assert.deepEqual(client.joiner.status.waiting, inRest)

  // What is beyond the slots of the new leaf is joined with what comes back next, and its slots stay.
  await giveBack(all.slice(SHOWN))
  const later = client.queue.joinings.flatMap((record) => record.rests)
  assert.equal(later.length, LATER + 1)
  await client.until(() => areAll(later, 'refunded'))
  await client.until(() => client.queue.joinings.length === 0)
  await network.run(calls.snapshot())
  const laterUnits = LATER * (pool.unitsPerSlot - 1) + over - 2
  assert.equal(
    (await freshSlots()).length - fresh.length,
    Math.floor(laterUnits / pool.unitsPerSlot),
  )
  await client.joiner.look(signal)
  const left = {
    rests: 1,
    value: BigInt(laterUnits % pool.unitsPerSlot) * payment.unit,
  }
  assert.deepEqual(client.joiner.status.waiting, left)
  await client.keepBooks()
  await client.die()
  assert.deepEqual(failures, [])
  using engine = createZkEngine()
  const verifier = createSlotVerifier(engine, pool)
  assert.equal(await openingHolds(nodeTicketCrypto, verifier, pool.domain, opening), true)

  // Every unit that was paid in is in a deposit, won, or a fee.
  const { isSound, balances } = (await run('ledger', '--side', 'client')) as {
    readonly isSound: boolean
    readonly balances: { readonly money: Row }
  }
  assert.equal(isSound, true)
  const { deposit, slots: inSlots, purse, ...money } = balances.money
  const paidIn = BigInt(SLOTS) * pool.slotValue
  const fees = BigInt(SHOWN + 2 + LATER + 2) * payment.unit
  assert.deepEqual([inSlots, purse].map(String), ['0', '0'])
  assert.equal(money['relayer fees'], String(fees))
  assert.equal(money['won by hops'], String(payment.winValue))
  assert.equal(deposit, String(paidIn - fees - payment.winValue))
  const { small, deposits } = (await run('wallet', 'show')) as {
    readonly small: Row
    readonly deposits: readonly Row[]
  }
  const waiting = { deposits: 1, value: String(left.value) }
  assert.deepEqual(small, { waiting, joining: { deposits: 0, value: '0' }, nextAt: null })
  const rows = deposits.map(({ limit, rest }) => `${Number(limit)} ${String(rest)}`)
  assert.ok(rows.includes(`${units - 2} refunded`), rows.join(', '))
  assert.ok(rows.includes(`${laterUnits} none`), rows.join(', '))
  assert.equal(rows.filter((row) => row.endsWith(' refunded')).length, SHOWN + LATER + 1)

  // And a joined slot pays.
  await bind(network, home, opening, provider)
  assert.equal(await stateOf(spent), 'bound')
})

function joinsOf(told: readonly { readonly kind: number }[]): readonly JoinRequest[] {
  return told.filter((request): request is JoinRequest => request.kind === RETURN_KIND.JOIN)
}

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { bywayPoolArtifact } from '@byway/chain'
import { concat } from 'viem'
import { CLAIM_KIND, hash, uint } from './kit/bytes.ts'
import { keyOf } from './kit/keys.ts'
import { eventsOf } from './kit/rpc.ts'
import { claimBytes, slotsBytes } from './kit/batches.ts'
import { startScene } from './kit/scene.ts'
import { NO_TERMS, type Slot } from './kit/slots.ts'
import { BURN, PROFILE } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('BadRedeemSignature', 'LengthMismatch', 'NotRegistered', 'NothingDue')

const scene = await startScene()
const { client, payer, world } = scene
after(() => scene[Symbol.asyncDispose]())

const NET = (PROFILE.winValue * 90n) / 100n
const provider = await scene.provider('provider')
const rival = await scene.provider('rival')
const anyone = keyOf('anyone').address
const win = (slot: Slot, index: number, to = provider) =>
  [slot, client.winning(slot, to.address, index)] as const

async function oneSlot(name: string): Promise<Slot> {
  const [slot] = await scene.slots(name, 1)
  return slot ?? assert.fail()
}

test('the first win binds the slot to provider and session key and pays V less 5 % (SPEC §14.3)', async () => {
  const slot = await oneSlot('happy')
  const receipt = await scene.bind(provider, [win(slot, 3)])
  const [won] = eventsOf(bywayPoolArtifact.abi, receipt)
  assert.deepEqual(won?.args, {
    nullifier: slot.nullifier,
    provider: provider.address,
    index: 3,
    wins: 1,
    paid: NET,
  })
  assert.deepEqual(await scene.word(slot.nullifier), {
    holder: hash(provider.address, slot.session.address).slice(0, 42),
    lastIndex: 3,
    wins: 1,
    state: 'BOUND',
    isBurned: false,
    time: await world.rpc.now(),
  })
  assert.equal(await scene.credit(provider.address), NET)
  assert.equal(await world.readPool('unburned'), 0n)
})

test('a nullifier pays at most K, with rising indices (SPEC §14.3)', async () => {
  const slot = await oneSlot('full')
  await scene.bind(provider, [win(slot, 5)])
  const before = await scene.credit(provider.address)
  const receipt = await scene.claim(provider, [
    win(slot, 4),
    win(slot, 5),
    win(slot, 6),
    win(slot, 7),
  ])
  assert.deepEqual(scene.skips(receipt), ['BAD_INDEX', 'BAD_INDEX', 'SLOT_FULL'])
  assert.equal((await scene.credit(provider.address)) - before, NET)
  const word = await scene.word(slot.nullifier)
  assert.deepEqual([word.wins, word.lastIndex], [2, 6])
})

test('tickets with one nonce are each paid once: index and commit make them two (SPEC §13.4)', async () => {
  const slot = await oneSlot('one nonce')
  const nonce = `0x${'07'.repeat(16)}` as const
  const [first, second] = [3, 6].map((index) =>
    client.certain(slot, provider.address, index, nonce),
  )
  if (!first || !second) assert.fail()
  assert.ok(first.isWin && second.isWin && first.nonce === second.nonce)
  await scene.bind(provider, [[slot, first]])
  const before = await scene.credit(provider.address)
  // Nor is one ticket the other under its index, or with its reveal.
  const moved = [
    { ...first, index: 5 },
    { ...second, index: 5, reveal: first.reveal },
    { ...first, index: 4, reveal: second.reveal },
  ] as const
  const refused = await scene.claim(
    provider,
    moved.map((ticket) => [slot, ticket] as const),
  )
  assert.deepEqual(scene.skips(refused), ['SLOT_TAKEN', 'SLOT_TAKEN', 'SLOT_TAKEN'])
  const receipt = await scene.claim(provider, [
    [slot, first],
    [slot, second],
    [slot, second],
  ])
  assert.deepEqual(scene.skips(receipt), ['BAD_INDEX', 'SLOT_FULL'])
  assert.equal((await scene.credit(provider.address)) - before, NET)
})

test('the first bind is final, for the same provider as for another', async () => {
  const slot = await oneSlot('final')
  await scene.bind(provider, [win(slot, 1)])
  assert.deepEqual(scene.skips(await scene.bind(rival, [win(slot, 2, rival)])), ['SLOT_TAKEN'])
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slot, 2)])), ['SLOT_TAKEN'])
  assert.deepEqual(scene.skips(await scene.claim(rival, [win(slot, 2, rival)])), ['SLOT_TAKEN'])
  const other = client.open(slot.leaf, 0, 'another session')
  assert.deepEqual(scene.skips(await scene.claim(provider, [win(other, 2)])), ['SLOT_TAKEN'])
})

test('a slot that is not bound takes no later wins', async () => {
  const slot = await oneSlot('unbound')
  assert.deepEqual(scene.skips(await scene.claim(provider, [win(slot, 1)])), ['WRONG_STATE'])
})

test('front-run and copied claims pay only the provider in the ticket', async () => {
  const slot = await oneSlot('copied')
  const before = [await scene.credit(provider.address), await scene.credit(rival.address)]
  const [, ticket] = win(slot, 1)
  assert.deepEqual(scene.skips(await scene.bind(rival, [[slot, ticket]])).length, 1)
  assert.deepEqual(scene.skips(await scene.bind(provider, [[slot, ticket]], rival.address)), [])
  assert.equal(await scene.credit(provider.address), (before[0] ?? 0n) + NET)
  assert.equal(await scene.credit(rival.address), before[1])
  assert.deepEqual(scene.skips(await scene.bind(provider, [[slot, ticket]])), ['SLOT_TAKEN'])
})

test('nobody takes the highest of a claim batch out of it and so closes those below', async () => {
  const slot = await oneSlot('picked')
  await scene.bind(provider, [win(slot, 1)])
  const wins = [win(slot, 2), win(slot, 3)]
  const before = await scene.credit(provider.address)
  assert.deepEqual(scene.skips(await scene.claim(provider, wins.slice(1), anyone)), ['SLOT_TAKEN'])
  const terms = await scene.terms(provider, CLAIM_KIND, [slotsBytes(wins)], 0n)
  const part = claimBytes(wins.slice(1), provider, terms)
  await assert.rejects(world.sendPool(anyone, 'claimMore', part), { reason: 'BadRedeemSignature' })
  const whole = claimBytes(wins, provider, terms)
  const receipt = await world.sendPool(anyone, 'claimMore', whole)
  assert.deepEqual(scene.skips(receipt), ['SLOT_FULL'])
  assert.equal((await scene.word(slot.nullifier)).lastIndex, 2)
  assert.equal((await scene.credit(provider.address)) - before, NET)
})

test('a batch skips what went stale and pays the rest', async () => {
  const slots = await scene.slots('batch', 4)
  const [first, second, third, fourth] = slots
  if (!first || !second || !third || !fourth) assert.fail()
  await scene.bind(rival, [win(second, 1, rival)])
  const unknown = { ...third, opening: { ...third.opening, root: 99n } }
  const before = await scene.credit(provider.address)
  const wins = [win(first, 1), win(second, 1), win(unknown, 1), win(fourth, 1), win(fourth, 2)]
  const receipt = await scene.bind(provider, wins)
  assert.deepEqual(scene.skips(receipt), ['SLOT_TAKEN', 'UNKNOWN_ROOT', 'SLOT_TAKEN'])
  assert.equal((await scene.credit(provider.address)) - before, 2n * NET)
})

test('one batch may hold wins of several providers, and says how many it paid', async () => {
  const [first, second] = await scene.slots('shared', 2)
  if (!first || !second) assert.fail()
  const batches = [win(first, 1), win(second, 1, rival)].map(([slot, ticket], i) => ({
    provider: (i === 0 ? provider : rival).address,
    openings: [slot.opening],
    tickets: [ticket],
    terms: NO_TERMS,
  }))
  assert.equal(await world.rpc.read(world.inPool('bind', batches), anyone), 2n)
  const before = [await scene.credit(provider.address), await scene.credit(rival.address)]
  await world.sendPool(anyone, 'bind', batches)
  const after_ = [await scene.credit(provider.address), await scene.credit(rival.address)]
  assert.deepEqual(
    after_,
    before.map((credit) => credit + NET),
  )
})

test('refuses what is no winning ticket of the session key (SPEC §13.4)', async () => {
  const slot = await oneSlot('bad tickets')
  const good = client.winning(slot, provider.address, 1)
  const losing = client.draw(slot, provider.address, 1, 1n, 0)
  const stranger = keyOf('stranger')
  const cases: readonly (readonly [string, object])[] = [
    ['BAD_AMOUNT', { amount: 0n }],
    ['BAD_AMOUNT', { amount: PROFILE.winValue + 1n }],
    ['NOT_A_WIN', losing],
    ['BAD_SIGNATURE', { signature: stranger.sign(good.digest) }],
    ['BAD_SIGNATURE', { signature: '0x' }],
  ]
  for (const [reason, change] of cases)
    assert.deepEqual(scene.skips(await scene.bind(provider, [[slot, { ...good, ...change }]])), [
      reason,
    ])
  for (const change of [{ index: 2 }, { nonce: uint(2n ** 100n, 128) }, { reveal: uint(1, 256) }]) {
    const [reason] = scene.skips(await scene.bind(provider, [[slot, { ...good, ...change }]]))
    assert.match(reason ?? '', /BAD_SIGNATURE|NOT_A_WIN/)
  }
  assert.equal((await scene.word(slot.nullifier)).state, 'NONE')
})

test('refuses an opening that does not hold (SPEC §13.2)', async () => {
  const slot = await oneSlot('bad openings')
  const session = keyOf('stolen session')
  const ticket = client.winning({ ...slot, session }, provider.address, 1)
  const stolen = { ...slot, opening: { ...slot.opening, sessionKey: session.address } }
  assert.deepEqual(scene.skips(await scene.bind(provider, [[stolen, ticket]])), ['BAD_PROOF'])
  const good = client.winning(slot, provider.address, 1)
  for (const change of [
    { proof: '0x' as const },
    { proof: concat([slot.opening.proof, '0x00']) },
    { receiptKey: uint(1, 256) },
  ]) {
    const bad = { ...slot, opening: { ...slot.opening, ...change } }
    assert.deepEqual(scene.skips(await scene.bind(provider, [[bad, good]])), ['BAD_PROOF'])
  }
  const zero = { ...slot, opening: { ...slot.opening, sessionKey: `0x${'0'.repeat(40)}` as const } }
  assert.deepEqual(
    scene.skips(await scene.bind(provider, [[zero, { ...good, signature: '0x' }]])),
    ['BAD_SIGNATURE'],
  )
})

test('a bad proof in a batch spoils only itself', async () => {
  const slots = await scene.slots('one bad proof', 3)
  const [first, second, third] = slots
  if (!first || !second || !third) assert.fail()
  const bad = { ...second, opening: { ...second.opening, proof: first.opening.proof } }
  const receipt = await scene.bind(provider, [win(first, 1), win(bad, 1), win(third, 1)])
  assert.deepEqual(scene.skips(receipt), ['BAD_PROOF'])
  const states = await Promise.all(slots.map(({ nullifier }) => scene.word(nullifier)))
  assert.deepEqual(
    states.map(({ state }) => state),
    ['BOUND', 'NONE', 'BOUND'],
  )
})

test('openings and tickets must be of one length', async () => {
  const slot = await oneSlot('lengths')
  const batch = {
    provider: provider.address,
    openings: [slot.opening],
    tickets: [],
    terms: NO_TERMS,
  }
  await assert.rejects(world.sendPool(anyone, 'bind', [batch]), { reason: 'LengthMismatch' })
})

test('any published root serves for ever', async () => {
  const slot = await oneSlot('old root')
  await scene.slots('newer', 1)
  await scene.slots('newest', 1)
  await world.rpc.pass(90 * 24 * 3600)
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slot, 1)])), [])
})

test('winnings go to the payout address, whoever asks, and to no unregistered provider', async () => {
  const winner = await scene.provider('winner')
  const slot = await oneSlot('payout')
  await scene.bind(winner, [win(slot, 1, winner)])
  const unburned = (await world.readPool('unburned')) as bigint
  await world.sendPool(anyone, 'payout', winner.address)
  assert.equal(await world.readPool('unburned'), unburned + PROFILE.winValue / 20n)
  assert.equal(await world.balance(keyOf('winner payout').address), NET)
  assert.equal(await scene.credit(winner.address), 0n)
  await assert.rejects(world.sendPool(anyone, 'payout', winner.address), { reason: 'NothingDue' })
  const unknown = keyOf('unknown provider')
  const other = await oneSlot('unregistered')
  await scene.bind(unknown, [win(other, 1, unknown)])
  await assert.rejects(world.sendPool(anyone, 'payout', unknown.address), {
    reason: 'NotRegistered',
  })
})

test('the 5 % are burned by anyone, once', async () => {
  const due = (await world.readPool('unburned')) as bigint
  assert.ok(due > 0n)
  const before = await world.balance(BURN)
  await world.sendPool(anyone, 'burn')
  assert.equal((await world.balance(BURN)) - before, due)
  await assert.rejects(world.sendPool(anyone, 'burn'), { reason: 'NothingDue' })
  assert.equal((await world.balance(payer)) > 0n, true)
})

/**
 * What each call costs, measured on anvil. Binds and refunds are measured twice: with the tests' plain authoriser over 64 leaves, and with one that says yes to
 * everything, which shows what the pool itself costs whatever proof is behind it.
 */
import { bytesToHex, concat, type Hex, sha256 } from 'viem'
import { alwaysAuthoriserArtifact } from '../test/artifacts/always-authoriser.ts'
import { type Key, keyOf } from '../test/kit/keys.ts'
import type { Receipt } from '../test/kit/rpc.ts'
import { registration, type Scene, startScene } from '../test/kit/scene.ts'
import type { Slot } from '../test/kit/slots.ts'
import { BIND_KIND, CLAIM_KIND, LOCK_KIND, openingSaid, uint } from '../test/kit/bytes.ts'
import { claimBytes, lockBytes, slotsBytes } from '../test/kit/batches.ts'
import { challengeAnswer, readAnswer, startAnswerScene } from '../test/kit/real-answer.ts'
import { createStakedNode } from '../test/kit/staked-node.ts'
import { createService, samplesOf } from '../test/kit/service.ts'
import { PROOFS, STAKES } from '../test/kit/world.ts'
import { measureJoin, measurePart, measureProofs, measureRests } from './gas-proofs.ts'

/** Row → gas used by the whole transaction; of `judge`, by the call alone. */
export type GasTable = Readonly<Record<string, number>>

/** What every call costs, and of the pool's and the proofs' calls what their call data costs. */
export type Measured = { readonly gas: GasTable; readonly callData: GasTable }

type Tables = {
  readonly [Table in keyof Measured]: Record<string, number>
}

const LEAVES = 64
const BATCHES = [1, 2, 4, 8, 16]
/** Slots that come back together. */
const RETURNS = [1, 8]
/** Of one slot, sent together. */
const WINS_OF_RUN = 6
const PLAIN = 'plain proof'
/** Of a slot proof, 256 bytes. */
const PROOF_WORDS = 8
/** Whose orders share a transaction. */
const PROVIDERS = 8
/** The first deposits meet an empty tree and empty storage; no one else does. */
const WARM_UP = 8

/** Measures every row. Keys, leaves and tickets are the same each time, so the figures are too. Judging slot proofs needs real ones, which take a prover some seconds. */
export async function measureGas(): Promise<Measured> {
  await using plain = await startScene()
  await using bare = await startScene({ authoriser: alwaysAuthoriserArtifact })
  const tables: Tables = { gas: {}, callData: {} }
  const { gas: rows } = tables
  await measureDeposits(plain, rows)
  const stand = await prepare(plain, tables)
  await measureLocks(stand)
  await measureBinds(stand, PLAIN)
  await measureLater(stand)
  await measureRun(rows)
  await measureReturns(stand)
  await measureEditions(plain, rows)
  const pool = await prepare(bare, tables, withRealBytes)
  await measureBinds(pool, 'without the proof')
  await measureRefund(pool, 'without the proof')
  await measureShared(pool)
  await measureConflicts(pool)
  await measureEpoch(pool)
  await measureAnswer(rows)
  await measureProofs(rows)
  await measureJoin(rows)
  await measurePart(rows)
  await measureRests(rows)
  return tables
}

/** A registered provider with some winnings, and slots to use up from the front. */
type Stand = {
  readonly scene: Scene
  readonly provider: Key
  readonly slots: readonly Slot[]
  readonly bound: Slot[]
  readonly note: (row: string, sent: Promise<Receipt>) => Promise<void>
  take(count: number): readonly Slot[]
}

async function prepare(
  scene: Scene,
  { gas: rows, callData }: Tables,
  asShown: (slot: Slot) => Slot = (slot) => slot,
): Promise<Stand> {
  const { world } = scene
  const provider = keyOf('provider')
  const owner = keyOf('provider owner').address
  await world.fund(owner, 2n * STAKES.minStake)
  const registered = await world.rpc.send(owner, registration(world, provider, owner, 'provider'))
  rows['register'] = gasOf(registered)
  const slots = (await scene.slots('measured', 70)).map(asShown)
  let next = 0
  const stand: Stand = {
    scene,
    provider,
    slots,
    bound: [],
    async note(row, sent) {
      const receipt = await sent
      rows[row] = gasOf(receipt)
      callData[row] = receipt.inputGas
    },
    take: (count) => slots.slice(next, (next += count)),
  }
  // The first win makes the provider's credit and the sum to be burned; that is paid once.
  const first = stand.take(1)
  await scene.lock(provider, first)
  await scene.bind(provider, winsOf(stand, first, 1))
  stand.bound.push(...first)
  return stand
}

/** An opening of as many bytes as one with a slot proof: the call data is a part of what a proof costs. */
function withRealBytes(slot: Slot): Slot {
  const opening = { ...slot.opening, receiptKey: drawn(1000 + slot.j), proof: realBytes(slot.j) }
  return { ...slot, opening }
}

function realBytes(j: number): Hex {
  return concat(Array.from({ length: PROOF_WORDS }, (_, at) => drawn(j * PROOF_WORDS + at)))
}

function drawn(part: number): Hex {
  return sha256(uint(part, 256))
}

async function measureDeposits(scene: Scene, rows: Record<string, number>): Promise<void> {
  const { client, payer, world } = scene
  const costs: number[] = []
  for (let i = 1; i < LEAVES; i++) {
    const idc = client.idcOf(keyOf(`leaf ${i}`))
    const receipt = await world.sendPool(payer, 'deposit', idc, 5)
    client.noteInserted(receipt, idc)
    costs.push(gasOf(receipt))
  }
  const usual = costs.slice(WARM_UP)
  rows['deposit, least'] = Math.min(...usual)
  rows['deposit, mean'] = Math.round(usual.reduce((sum, gas) => sum + gas, 0) / usual.length)
  rows['deposit, most'] = Math.max(...usual)
  await world.rpc.pass(world.profile.snapshotInterval)
  rows['snapshot, 63 leaves'] = gasOf(await world.sendPool(payer, 'snapshot'))
}

/** Two usual editions of a public relay, and two of the most bytes. */
async function measureEditions({ world }: Scene, rows: Record<string, number>): Promise<void> {
  const { provider, edition } = await createStakedNode(world, 1)
  const addresses = [
    { family: 4 as const, bytes: new Uint8Array(4).fill(9), port: 443 },
    { family: 6 as const, bytes: new Uint8Array(16).fill(1), port: 443 },
  ]
  const attachments = Array.from({ length: 6 }, (_, at) => new Uint8Array(32).fill(at + 1))
  const long = { addresses, attachments, software: 'x'.repeat(32) }
  const show = async (number: number, change: Parameters<typeof edition>[1]): Promise<number> => {
    const pair = [edition(number, change), edition(number, { ...change, asn: 1 })].map((each) =>
      bytesToHex(each),
    )
    const call = world.inRegistry('slashEditions', provider.address, ...pair)
    return gasOf(await world.rpc.send(keyOf('payer').address, call))
  }
  await show(1, {})
  rows['slashEditions'] = await show(2, {})
  rows['slashEditions, longest'] = await show(3, long)
}

async function measureLocks({ scene, provider, slots, note }: Stand): Promise<void> {
  const unused = slots.slice(-17)
  await note('lock 1', scene.lock(provider, unused.slice(0, 1)))
  await note('lock 16', scene.lock(provider, unused.slice(1)))
}

async function measureBinds(stand: Stand, proof: string): Promise<void> {
  for (const size of BATCHES) {
    const slots = stand.take(size)
    const sent = stand.scene.bind(stand.provider, winsOf(stand, slots, 1))
    await stand.note(`bind ${size}, ${proof}`, sent)
    stand.bound.push(...slots)
  }
}

async function measureLater(stand: Stand): Promise<void> {
  const { scene, provider, bound } = stand
  let next = 0
  for (const size of [1, 16]) {
    const slots = bound.slice(next, (next += size))
    await stand.note(`claimMore ${size}`, scene.claim(provider, winsOf(stand, slots, 2)))
  }
}

/** Orders of several providers, one entry each, as a redeemer sends them: with terms and a fee. */
async function measureShared(stand: Stand): Promise<void> {
  const { scene, note } = stand
  const { client, world } = scene
  const redeemer = keyOf('redeemer').address
  await world.fund(redeemer, 1n)
  const fee = world.profile.winValue / 10n
  const parties = []
  for (let at = 0; at < PROVIDERS; at++) {
    const provider = await scene.provider(`sharing ${at}`)
    const [first, slot] = stand.take(2)
    if (!first || !slot) throw new Error('too few slots')
    const win = (each: Slot, index: number) =>
      [each, client.winning(each, provider.address, index)] as const
    // The first win makes its credit.
    await scene.bind(provider, [win(first, 1)])
    parties.push({ provider, slot, win: win(slot, 1), later: win(slot, 2) })
  }
  const locks = parties.map(async ({ provider, slot }) => {
    const terms = await scene.terms(provider, LOCK_KIND, [uint(slot.nullifier, 256)], fee / 5n)
    return lockBytes([slot.nullifier], provider, terms)
  })
  const packed = concat(await Promise.all(locks))
  await note('lock 8, of 8 providers', world.sendPool(redeemer, 'lock', packed))
  const binds = parties.map(async ({ provider, win: [slot, ticket] }) => {
    const terms = await scene.terms(provider, BIND_KIND, [ticket.digest], fee)
    return { provider: provider.address, openings: [slot.opening], tickets: [ticket], terms }
  })
  const bound = world.sendPool(redeemer, 'bind', await Promise.all(binds))
  await note('bind 8, of 8 providers, without the proof', bound)
  const claims = parties.map(async ({ provider, later }) => {
    const terms = await scene.terms(provider, CLAIM_KIND, [slotsBytes([later])], fee)
    return claimBytes([later], provider, terms)
  })
  const more = world.sendPool(redeemer, 'claimMore', concat(await Promise.all(claims)))
  await note('claimMore 8, of 8 providers', more)
}

/** Later wins of one slot, which a slot of two wins does not hold. */
async function measureRun(rows: Record<string, number>): Promise<void> {
  await using scene = await startScene({ profile: { winsPerSlot: WINS_OF_RUN + 2 } })
  const provider = keyOf('provider')
  const [slot] = await scene.slots('of many wins', 1)
  if (!slot) throw new Error('too few slots')
  const win = (index: number) =>
    [slot, scene.client.winning(slot, provider.address, index)] as const
  await scene.bind(provider, [win(1)])
  const run = Array.from({ length: WINS_OF_RUN }, (_, i) => win(2 + i))
  rows[`claimMore ${WINS_OF_RUN}, one slot`] = gasOf(await scene.claim(provider, run))
}

async function measureReturns(stand: Stand): Promise<void> {
  const { bound, provider, scene } = stand
  const { client, payer, world } = scene
  await measureRefund(stand, PLAIN)
  const last = bound.at(-1)
  const [unused] = stand.take(1)
  if (!last || !unused) throw new Error('too few slots')
  const to = client.destination(last, client.idcOf(keyOf('heir')))
  const sessionKey = last.session.address
  const named = [{ nullifier: last.nullifier, provider: provider.address, sessionKey }]
  const proofs = [client.unused(unused.leaf, unused.j, payer)]
  await stand.note('close', world.sendPool(payer, 'close', named, [to]))
  await stand.note(
    'withdrawUnused, plain proof',
    world.sendPool(payer, 'withdrawUnused', proofs, payer),
  )
  await world.rpc.pass(world.profile.closeDelay)
  await stand.note('finishClose', world.sendPool(payer, 'finishClose', named, [to]))
  const withdrawn = [unused.nullifier]
  await stand.note('finishWithdraw', world.sendPool(payer, 'finishWithdraw', withdrawn))
  await stand.note('payout', world.sendPool(payer, 'payout', provider.address))
  await scene.claim(provider, winsOf(stand, bound.slice(-2, -1), 2))
  await stand.note('payout, later', world.sendPool(payer, 'payout', provider.address))
  await stand.note('burn', world.sendPool(payer, 'burn'))
}

async function measureRefund(stand: Stand, proof: string): Promise<void> {
  const { client, payer, world } = stand.scene
  for (const size of RETURNS) {
    const count = size === 1 ? '' : ` ${size}`
    const slots = stand.take(size)
    const refunds = slots.map((slot, at) => {
      const asked = client.refund(slot, client.idcOf(keyOf(`refund heir ${size} ${at}`)))
      return proof === PLAIN ? asked : { ...asked, proof: realBytes(slot.j) }
    })
    const asked = world.sendPool(payer, 'refund', refunds)
    await stand.note(`refund${count}, ${proof}`, asked)
    await world.rpc.pass(world.profile.refundDelay)
    const finished = world.sendPool(payer, 'finishRefund', refunds)
    await stand.note(`finishRefund${count}`, finished)
  }
}

/** Each reporter holds no token before: its first reward costs the most. */
async function measureConflicts(stand: Stand): Promise<void> {
  const { scene, provider, bound, note } = stand
  const { client, world } = scene
  const rival = keyOf('rival')
  const signed = (slot: Slot, to: string) => ({
    provider: to,
    ...client.draw(slot, to as `0x${string}`, 9, 1n, 0),
  })
  const report = (reporter: string, name: string, ...args: readonly unknown[]) =>
    note(
      `${name}, ${reporter}`,
      world.sendPool(keyOf(`${name} ${reporter}`).address, name, ...args),
    )
  const [unbound, twice] = stand.take(2)
  const [first] = bound
  if (!first || !unbound || !twice) throw new Error('too few slots')
  const none = { ...signed(first, provider.address), signature: '0x' }
  const proven = { ...first.opening, proof: '0x' }
  await report('bound', 'conflictTickets', proven, none, signed(first, rival.address))
  const both = [signed(unbound, provider.address), signed(unbound, rival.address)]
  await report('without the proof', 'conflictTickets', unbound.opening, ...both)
  const again = withRealBytes(client.open(twice.leaf, twice.j, 'second session'))
  const openings = [twice, again].map(({ opening }) => ({
    root: opening.root,
    said: openingSaid(opening.sessionKey, opening.receiptKey),
    proof: opening.proof,
  }))
  await report('without the proofs', 'conflictOpenings', twice.nullifier, ...openings)
}

/** What an epoch's commitment costs; its proof is judged apart, and by nobody as long as nobody doubts it. */
async function measureEpoch(stand: Stand): Promise<void> {
  const { note, provider, scene } = stand
  const { world } = scene
  const service = createService(scene)
  await service.until(service.endOf(await service.epoch()))
  const epoch = await service.epoch()
  const slots = stand.take(2)
  await scene.bind(provider, winsOf(stand, slots, 1))
  await service.until(service.endOf(epoch))
  await note('commit', service.commit(provider, epoch))
  await service.until(service.beaconTime(epoch))
  await note('draw', service.send(world.pool, 'draw', epoch, ...(await service.headers())))
  const challenger = keyOf('challenger').address
  await world.fund(challenger, PROOFS.challengeBond)
  await note('challenge', service.send(challenger, 'challenge', provider.address, epoch))
  const openings = samplesOf(slots)
  const proof = await service.proof(provider, epoch, openings)
  const answer = service.send(challenger, 'answer', provider.address, epoch, openings, proof)
  await note('answer, without the proofs', answer)
  await note('settle', service.send(provider.address, 'settle', provider.address, epoch))
  await measureEpochForAnother(stand, epoch + 2)
}

/** The same for a provider without coin, by one who has had fees before. */
async function measureEpochForAnother(stand: Stand, epoch: number): Promise<void> {
  const { note, provider, scene } = stand
  const service = createService(scene)
  const redeemer = keyOf('redeemer').address
  await scene.world.fund(redeemer, 1n)
  await service.until(service.endOf(epoch - 1))
  await scene.bind(provider, winsOf(stand, stand.take(2), 1))
  await service.until(service.endOf(epoch))
  await note('commit for another', service.commitFor(redeemer, provider, epoch, 1n))
  await service.draw(epoch)
  await service.until(service.challengeEnd(epoch))
  await note('settle for another', service.send(redeemer, 'settle', provider.address, epoch))
}

/** With the kept proofs: of twelve slots, and the audit's. */
async function measureAnswer(rows: Record<string, number>): Promise<void> {
  const made = await startAnswerScene()
  await using scene = made.scene
  const challenger = keyOf('challenger').address
  const { epoch, openings, proof } = await readAnswer(made)
  await challengeAnswer(made, challenger)
  const args = [made.provider.address, epoch, openings, proof]
  const call = scene.world.inProofs('answer', ...args)
  rows['answer, real proofs'] = gasOf(await scene.world.rpc.send(challenger, call))
}

function winsOf({ scene, provider }: Stand, slots: readonly Slot[], index: number) {
  return slots.map((slot) => [slot, scene.client.winning(slot, provider.address, index)] as const)
}

function gasOf({ gasUsed }: { readonly gasUsed: bigint }): number {
  return Number(gasUsed)
}

/**
 * Random play about service proofs: one provider that answers, one that never does, one that only sometimes commits, and challengers who share in none of it. After every move what
 * was held back, bonds and stakes must be where they belong.
 */
import assert from 'node:assert/strict'
import { serviceProofsArtifact } from '@byway/chain'
import type { Address } from 'viem'
import { type Key, keyOf } from './keys.ts'
import { eventsOf, type Receipt, RevertedError } from './rpc.ts'
import type { Scene } from './scene.ts'
import { createService, samplesOf, type Service } from './service.ts'
import type { Slot } from './slots.ts'
import { PROOFS, STAKES, TOKEN } from './world.ts'

export type Kind =
  | ('win' | 'commit' | 'draw' | 'challenge' | 'answer' | 'slash' | 'settle' | 'payout')
  | ('turn' | 'wait' | 'close')

/** One move. Numbers choose among what there is. */
export type Move = {
  readonly kind: Kind
  readonly provider: number
  /** 0 the last epoch, 1 the one before, and so on. */
  readonly back: number
  readonly sender: number
}

export type Table = {
  readonly scene: Scene
  readonly service: Service
  readonly providers: readonly Key[]
  readonly slots: readonly Slot[]
  readonly challengers: readonly Address[]
}

/** What was seen so far. */
export type Seen = {
  /** Entered the contract, left it for the payout address, and was burned. */
  held: bigint
  released: bigint
  burned: bigint
  /** Bonds of open challenges, and those that proofs took. */
  bonds: bigint
  lostBonds: bigint
  /** Tenths of stakes. */
  rewards: bigint
  /** Of what was held back, to who sent for a provider; and what of it, and of tenths of bonds for answers, challengers got. */
  fees: bigint
  earned: bigint
  wins: number
  readonly slashed: Set<Address>
}

/** By their place in `providers`. */
const HONEST = 0
const SILENT = 1

const REFUSALS = new Set(
  'TooEarly TooLate WrongState NoBeacon BeaconKnown BadHeader NotActive NothingDue FeeNotCovered'.split(
    ' ',
  ),
)
/** Less than half of what one win holds back. */
const FEE = TOKEN / 1000n
const REDEEMER = keyOf('redeemer').address
const FUNDS = 10_000n * TOKEN

/** Providers with a stake, slots to win, and challengers with money: the same at the start of every play. */
export async function setUpTable(scene: Scene): Promise<Table> {
  const service = createService(scene)
  const names = ['honest', 'silent', 'sometimes']
  const providers: Key[] = []
  for (const name of names) providers.push(await scene.provider(name))
  const challengers = ['first', 'second'].map((name) => keyOf(`${name} challenger`).address)
  for (const challenger of challengers) await scene.world.fund(challenger, FUNDS)
  return { scene, service, providers, challengers, slots: await scene.slots('clients', 60) }
}

export function startSeen(): Seen {
  const money = { held: 0n, released: 0n, burned: 0n, bonds: 0n, lostBonds: 0n }
  const gains = { rewards: 0n, fees: 0n, earned: 0n }
  return { ...money, ...gains, wins: 0, slashed: new Set() }
}

/** Makes a move and checks everything. */
export async function play(table: Table, seen: Seen, move: Move): Promise<void> {
  const receipt = await attempt(table, seen, move)
  if (receipt) note(table, seen, receipt)
  await check(table, seen)
}

async function attempt(table: Table, seen: Seen, move: Move): Promise<Receipt | undefined> {
  try {
    return await MOVES[move.kind](table, move, seen)
  } catch (error) {
    if (error instanceof RevertedError && REFUSALS.has(error.reason)) return undefined
    throw error
  }
}

const pick = <T>(from: readonly T[], n: number): T => from[n % from.length] ?? assert.fail()
const providerOf = ({ providers }: Table, { provider }: Move): Key => pick(providers, provider)
const senderOf = ({ challengers, providers }: Table, { sender }: Move): Address =>
  pick([...challengers, ...providers.map(({ address }) => address)], sender)
const epochOf = async ({ service }: Table, { back }: Move): Promise<number> =>
  (await service.epoch()) - 1 - back

async function openings({ service, slots }: Table, provider: Key, epoch: number) {
  const samples = samplesOf(slots.slice(0, 5))
  return [samples, await service.proof(provider, epoch, samples)] as const
}

type Play = (table: Table, move: Move, seen: Seen) => Promise<Receipt | undefined>

const win: Play = async (table, move, seen) => {
  const { scene, slots } = table
  const provider = providerOf(table, move)
  const slot = slots[seen.wins]
  if (!slot) return undefined
  seen.wins++
  const ticket = scene.client.winning(slot, provider.address, 1)
  return scene.bind(provider, [[slot, ticket]])
}

/** By the provider itself, or for a fee by one who has nothing to do with the rest. */
const commit: Play = async (table, move) => {
  const [provider, epoch] = [providerOf(table, move), await epochOf(table, move)]
  return move.sender % 2 === 0
    ? table.service.commit(provider, epoch)
    : table.service.commitFor(REDEEMER, provider, epoch, FEE)
}

const challenge: Play = async (table, move) => {
  const from = pick(table.challengers, move.sender)
  const { address } = providerOf(table, move)
  return table.service.send(from, 'challenge', address, await epochOf(table, move))
}

/** The honest one's keeper does this before anything else happens; of the silent one nobody has the proof. */
const answer: Play = async (table, move) => {
  const provider = pick(table.providers, move.provider === SILENT ? HONEST : move.provider)
  const epoch = await epochOf(table, move)
  const proof = await openings(table, provider, epoch)
  return table.service.send(senderOf(table, move), 'answer', provider.address, epoch, ...proof)
}

const about =
  (name: string): Play =>
  async (table, move) => {
    const { address } = providerOf(table, move)
    const epoch = await epochOf(table, move)
    return table.service.send(senderOf(table, move), name, address, epoch)
  }

const draw: Play = async (table, move) => {
  const { service } = table
  const epoch = await epochOf(table, move)
  if (move.sender > 0) await service.until(service.beaconTime(epoch))
  return service.send(senderOf(table, move), 'draw', epoch, ...(await service.headers()))
}

/** Time goes by; the honest provider answers within it. */
const pass =
  (to: (service: Service, epoch: number, nowS: number) => number): Play =>
  async (table, _, seen) => {
    await answerAll(table, seen)
    const { service, scene } = table
    await service.until(to(service, await service.epoch(), await scene.world.rpc.now()))
    return undefined
  }

/** All moves by name. */
export const MOVES: Readonly<Record<Kind, Play>> = {
  win,
  commit,
  draw,
  challenge,
  answer,
  /** To the next epoch, to the end of an answer's time, and to that of challenges. */
  turn: pass((service, epoch) => service.endOf(epoch)),
  wait: pass((_, __, nowS) => nowS + PROOFS.answerWindow),
  close: pass((service, epoch) => service.challengeEnd(epoch - 1)),
  slash: about('slash'),
  settle: about('settle'),
  payout: async (table, move) => {
    const { scene } = table
    return scene.world.sendPool(senderOf(table, move), 'payout', providerOf(table, move).address)
  },
}

async function answerAll(table: Table, seen: Seen): Promise<void> {
  const { service } = table
  const provider = pick(table.providers, HONEST)
  const newest = (await service.epoch()) - 1
  for (const epoch of [newest, newest - 1]) {
    const { state } = await service.commitment(provider.address, epoch)
    if (state !== 'CHALLENGED') continue
    const proof = await openings(table, provider, epoch)
    const args = [provider.address, epoch, ...proof]
    note(table, seen, await service.send(provider.address, 'answer', ...args))
  }
}

function note({ providers, challengers }: Table, seen: Seen, receipt: Receipt): void {
  const honest = pick(providers, HONEST).address
  for (const { eventName, args } of eventsOf(serviceProofsArtifact.abi, receipt)) {
    const provider = args['provider'] as Address
    if (eventName === 'Committed') seen.held += args['held'] as bigint
    if (eventName === 'Released') seen.released += args['amount'] as bigint
    if (eventName === 'HeldFeePaid') {
      seen.fees += FEE
      assert.equal(args['amount'], FEE)
      // Challengers may settle too: that is no gain by their challenge.
      if (challengers.includes(args['to'] as Address)) seen.earned += FEE
    }
    if (eventName === 'AnswerFeePaid' && challengers.includes(args['to'] as Address))
      seen.earned += args['amount'] as bigint
    if (eventName === 'HeldBurned') seen.burned += args['amount'] as bigint
    if (eventName === 'Challenged') seen.bonds += PROOFS.challengeBond
    if (eventName === 'Proven') {
      seen.bonds -= PROOFS.challengeBond
      seen.lostBonds += PROOFS.challengeBond
    }
    if (eventName === 'Failed') {
      assert.notEqual(provider, honest, 'who answers is not slashed')
      const slashed = args['slashed'] as bigint
      assert.ok(slashed === 0n || !seen.slashed.has(provider), 'a stake goes once')
      seen.slashed.add(provider)
      seen.bonds -= PROOFS.challengeBond
      assert.equal(args['reward'], slashed / 10n)
      seen.rewards += slashed / 10n
    }
  }
}

async function check({ scene, providers, challengers }: Table, seen: Seen): Promise<void> {
  const { world } = scene
  const inContract = await world.balance(world.proofs)
  assert.equal(
    inContract,
    seen.held - seen.released - seen.burned - seen.fees + seen.bonds,
    'books balance',
  )
  for (const { address } of providers) {
    const { stake } = (await world.rpc.read(world.inRegistry('node', address))) as { stake: bigint }
    assert.equal(stake, seen.slashed.has(address) ? 0n : STAKES.minStake, 'stakes move once')
  }
  const balances = await Promise.all(challengers.map((each) => world.balance(each)))
  const begun = BigInt(challengers.length) * FUNDS
  const now = balances.reduce((sum, each) => sum + each, 0n)
  assert.equal(
    now,
    begun - seen.bonds - seen.lostBonds + seen.rewards + seen.earned,
    'a challenger gains by silence only',
  )
}

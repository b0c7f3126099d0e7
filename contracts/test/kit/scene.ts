/** A chain with a client, registered providers and a published deposit, and short words for what tests do with them. */
import { type Address, type Hex, stringToHex } from 'viem'
import { claimBytes, lockBytes } from './batches.ts'
import { redeemDigest, registerDigest, uint } from './bytes.ts'
import { type Key, keyOf } from './keys.ts'
import { type Call, eventsOf, type Receipt } from './rpc.ts'
import { type Client, createClient, NO_TERMS, type Slot, type Terms, type Ticket } from './slots.ts'
import { STAKES, startWorld, TOKEN, unitsPerSlotOf, type World } from './world.ts'

/** The contract's reasons, in its order (SPEC §14). */
const REASONS = [
  'NONE',
  'UNKNOWN_ROOT',
  'SLOT_TAKEN',
  'SLOT_FINISHED',
  'SLOT_FULL',
  'WRONG_STATE',
  'TOO_EARLY',
  'NOT_ACTIVE',
  'BAD_AMOUNT',
  'BAD_INDEX',
  'BAD_SIGNATURE',
  'NOT_A_WIN',
  'BAD_PROOF',
  'BAD_DESTINATION',
  'FEE_NOT_COVERED',
] as const

/** States of a slot's word (SPEC §14.2). */
const STATES = [
  'NONE',
  'LOCKED',
  'LAPSED',
  'BOUND',
  'CLOSING',
  'CLOSED',
  'REFUNDING',
  'REFUNDED',
  'WITHDRAWING',
  'WITHDRAWN',
] as const

/** A bound slot as `close` wants it named. */
export type Bound = {
  readonly nullifier: bigint
  readonly provider: Address
  readonly sessionKey: Address
}

export function boundTo(provider: Key, { nullifier, session }: Slot): Bound {
  return { nullifier, provider: provider.address, sessionKey: session.address }
}

/** A slot's word, taken apart. */
export type Word = {
  readonly holder: Hex
  readonly lastIndex: number
  readonly wins: number
  readonly state: string
  readonly isBurned: boolean
  readonly time: number
}

export interface Scene extends AsyncDisposable {
  readonly world: World
  readonly client: Client
  /** Has money and sends for the client. */
  readonly payer: Address
  /** Deposits for a new owner, publishes the root and opens the leaf's slots. */
  slots(owner: string, count: number): Promise<readonly Slot[]>
  /** Registers a provider of that name, owned by `NAME owner`, paid at `NAME payout`. */
  provider(name: string, nodeId?: Hex): Promise<Key>
  word(nullifier: bigint): Promise<Word>
  credit(provider: Address): Promise<bigint>
  bind(provider: Key, wins: readonly (readonly [Slot, Ticket])[], from?: Address): Promise<Receipt>
  /** Later wins, sent by their provider, or by another as if they were its own. */
  claim(provider: Key, wins: readonly (readonly [Slot, Ticket])[], from?: Address): Promise<Receipt>
  lock(provider: Key, slots: readonly Slot[]): Promise<Receipt>
  /** What a batch left out and why. */
  skips(receipt: Receipt): readonly string[]
  /** A provider's promise of a fee for a batch. */
  terms(provider: Key, kind: number, items: readonly Hex[], fee: bigint): Promise<Terms>
}

export async function startScene(...options: Parameters<typeof startWorld>): Promise<Scene> {
  const world = await startWorld(...options)
  const client = createClient(world)
  const payer = keyOf('payer').address
  await world.fund(payer, 1_000_000n * TOKEN)
  const batch = (provider: Key, wins: readonly (readonly [Slot, Ticket])[]) => ({
    provider: provider.address,
    openings: wins.map(([slot]) => slot.opening),
    tickets: wins.map(([, ticket]) => ticket),
    terms: NO_TERMS,
  })
  return {
    world,
    client,
    payer,
    async slots(owner, count) {
      const unitsPerSlot = unitsPerSlotOf(world.profile)
      const leaf = await client.deposit(payer, owner, count * unitsPerSlot)
      await client.snapshot(payer)
      return Array.from({ length: count }, (_, j) => client.open(leaf, j))
    },
    async provider(name, nodeId) {
      const key = keyOf(name)
      const owner = keyOf(`${name} owner`).address
      await world.fund(owner, 2n * STAKES.minStake)
      await world.rpc.send(owner, registration(world, key, owner, name, nodeId))
      return key
    },
    word: async (nullifier) => decodeWord((await world.readPool('slot', nullifier)) as bigint),
    credit: async (provider) => (await world.readPool('credit', provider)) as bigint,
    bind: (provider, wins, from = provider.address) =>
      world.sendPool(from, 'bind', [batch(provider, wins)]),
    claim: (provider, wins, from = provider.address) =>
      world.sendPool(from, 'claimMore', claimBytes(wins)),
    lock: (provider, slots) =>
      world.sendPool(provider.address, 'lock', lockBytes(slots.map(({ nullifier }) => nullifier))),
    skips: (receipt) => skipsOf(world, receipt),
    async terms(provider, kind, items, fee) {
      const deadline = BigInt((await world.rpc.now()) + 600)
      const digest = redeemDigest(client.pool, kind, provider.address, items, fee, deadline)
      return { fee, deadline, signature: provider.sign(digest) }
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

/** The call that registers a provider, signed by its key. @param nodeId - the name in its place where nobody looks at it */
export function registration(
  world: World,
  provider: Key,
  owner: Address,
  name: string,
  nodeId: Hex = stringToHex(name.slice(0, 32), { size: 32 }),
): Call {
  const payout = keyOf(`${name} payout`).address
  const place = { chainId: 31_337n, contract: world.registry }
  const signature = provider.sign(registerDigest(place, owner, nodeId, payout))
  return world.inRegistry('register', provider.address, nodeId, payout, STAKES.minStake, signature)
}

export function decodeWord(word: bigint): Word {
  const state = Number((word >> 48n) & 0xffn)
  return {
    holder: uint(word >> 96n, 160),
    lastIndex: Number((word >> 64n) & 0xffff_ffffn),
    wins: Number((word >> 56n) & 0xffn),
    state: STATES[state & 0x7f] ?? 'unknown',
    isBurned: state >= 0x80,
    time: Number(word & 0xffff_ffff_ffffn),
  }
}

function skipsOf(world: World, receipt: Receipt): readonly string[] {
  return eventsOf(world.inPool('slot').abi, receipt)
    .filter(({ eventName }) => eventName === 'Skipped')
    .map(({ args }) => REASONS[Number(args['reason'])] ?? 'unknown')
}

/** Slots, a journal and ports in memory, for the tests of the client's money. */
import { randomBytes } from 'node:crypto'
import { toHex } from '@byway/protocol/base'
import type { ClientMoneyEvent } from '@byway/protocol/ledger'
import { nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createTokenStock } from '@byway/protocol/payment'
import type { HeldToken, HeldTokenRecords, TokenStock } from '@byway/protocol/payment'
import type { Opening } from '@byway/protocol/wire'
import { createHopRecords, type HopRecords } from '../../src/money/hop-records.ts'
import { createSlotKeeper } from '../../src/money/slot-keeper.ts'
import type { SlotKeeper } from '../../src/money/slot-keeper-types.ts'
import { createSpending } from '../../src/money/spending.ts'
import type { Spending } from '../../src/money/spending.ts'
import { createHandTimers } from '../engine/hand-timers.ts'
import type { HandTimers } from '../engine/hand-timers.ts'
import { POOL } from './test-hop.ts'
import type { Slot, SlotAuthoriser, SlotJournal, SlotRecord } from '../../src/money/ports.ts'

export function slotOf(number: number, isKnownUnshown = true): Slot {
  return { nullifier: new Uint8Array(32).fill(number), isKnownUnshown, isOwnersAlone: true }
}

export type TestJournal = SlotJournal & {
  /** What the disk has, oldest first. */
  readonly records: SlotRecord[]
  /** Runs before each write. */
  onPut: () => Promise<void>
}

export function createTestJournal(records: SlotRecord[] = []): TestJournal {
  const journal: TestJournal = {
    records,
    onPut: () => Promise.resolve(),
    all: () => Promise.resolve([...records]),
    async put(record) {
      await journal.onPut()
      const at = records.findIndex(({ nullifier }) => equal(nullifier, record.nullifier))
      if (at < 0) records.push(record)
      else records[at] = record
    },
    raiseFloor: () => Promise.resolve(),
  }
  return journal
}

export type TestAuthoriser = SlotAuthoriser & {
  prepared: number
  list: Slot[]
  /** How often openings were made, by nullifier. */
  readonly openings: string[]
  fails: Error | undefined
  /** Which slots are taken. */
  random: () => number
}

export function createTestAuthoriser(
  list: Slot[],
  random: () => number = Math.random,
): TestAuthoriser {
  const authoriser: TestAuthoriser = {
    prepared: 0,
    list,
    random,
    openings: [],
    fails: undefined,
    slots: () =>
      authoriser.fails ? Promise.reject(authoriser.fails) : Promise.resolve(authoriser.list),
    openingFor(nullifier) {
      if (authoriser.fails) return Promise.reject(authoriser.fails)
      authoriser.openings.push(toHex(nullifier))
      return Promise.resolve(testOpening(nullifier, authoriser.openings.length))
    },
    sessionKeyFor: sessionSecret,
    refundFor: () => Promise.resolve({ root: new Uint8Array(32), proof: new Uint8Array(3) }),
    withdrawalFor: () => Promise.resolve({ root: new Uint8Array(32), proof: new Uint8Array(3) }),
    leafRests: () => Promise.resolve([]),
    joiningFor: (rests) =>
      Promise.resolve({ root: new Uint8Array(32), rests, units: 96, proof: new Uint8Array(3) }),
    prepare: () => Promise.resolve(),
    prepareOne: () => Promise.reject(authoriser.fails ?? new Error('there is one ready')),
    takePrepared(unshown) {
      const nullifier = unshown[Math.floor(authoriser.random() * unshown.length)]
      if (!nullifier || authoriser.fails) return undefined
      authoriser.openings.push(toHex(nullifier))
      return testOpening(nullifier, authoriser.openings.length)
    },
  }
  return authoriser
}

function sessionSecret(nullifier: Uint8Array): Uint8Array {
  return Uint8Array.from(nullifier, (byte) => byte ^ 0xa5)
}

function testOpening(nullifier: Uint8Array, root: number): Opening {
  return {
    root: new Uint8Array(32).fill(root),
    nullifier,
    sessionKey: nodeTicketCrypto.addressOfSecret(sessionSecret(nullifier)),
    receiptKey: new Uint8Array(32),
    proof: new Uint8Array(3),
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b)
}

/** The parts of a paying client with a clock that the test moves. */
export type MoneyWorld = {
  readonly timers: HandTimers
  readonly journal: TestJournal
  readonly authoriser: TestAuthoriser
  readonly slots: SlotKeeper
  readonly spending: Spending
  readonly stock: TokenStock
  readonly disk: TokenDisk
  readonly events: ClientMoneyEvent[]
  readonly booked: bigint[]
  readonly sessionDeps: {
    readonly slots: SlotKeeper
    readonly spending: Spending
    readonly crypto: typeof nodeTicketCrypto
    readonly pool: typeof POOL
    readonly randomBytes: (count: number) => Uint8Array
    readonly timers: HandTimers
    readonly records: HopRecords
  }
}

export const NEVER: AbortSignal = new AbortController().signal
/** Noon of a day, so that no test meets midnight. */
export const START_MS: number = 20_000 * 86_400_000 + 43_200_000

export async function createMoneyWorld(
  options: {
    slots?: number
    budget?: bigint
    disk?: TokenDisk
    journal?: TestJournal
    timers?: HandTimers
    /** Slots of real deposits. */
    slotsFrom?: SlotAuthoriser
    /** @default the system's */
    random?: (count: number) => Uint8Array
  } = {},
): Promise<MoneyWorld> {
  const random = options.random ?? randomBytes
  const timers = options.timers ?? createHandTimers(START_MS)
  const journal = options.journal ?? createTestJournal()
  const list = Array.from({ length: options.slots ?? 10 }, (_, i) => slotOf(i + 1))
  const authoriser = createTestAuthoriser(list)
  const events: ClientMoneyEvent[] = []
  const booked: bigint[] = []
  const spending = createSpending({
    winValue: POOL.faceValue,
    slotValue: POOL.slotValue,
    budget: options.budget,
    book: {
      load: () => Promise.resolve(0n),
      add: async (_month, amount) => void booked.push(amount),
    },
    record: async (event) => void events.push(event),
    run: 'test',
    nowMs: timers.nowMs,
    onBudgetSpent: () => {},
    timers,
  })
  const slots = createSlotKeeper({
    authoriser: options.slotsFrom ?? authoriser,
    journal,
    nowMs: timers.nowMs,
    onShown: (hop, nullifier) => spending.onSlotShown(hop, nullifier),
    onUnknown: () => {},
    onOlder: () => Promise.resolve(),
    isReturning: () => false,
    onLow: () => {},
    closing: NEVER,
  })
  await slots.load()
  await slots.refresh(NEVER)
  const disk = options.disk ?? createTokenDisk()
  const stock = createTokenStock({
    scheme: nodeBlindTokens,
    hash: nodeCrypto,
    records: disk,
    random,
  })
  const crypto = nodeTicketCrypto
  const records = createHopRecords()
  const sessionDeps = { slots, spending, crypto, pool: POOL, randomBytes: random, timers, records }
  return { timers, journal, authoriser, slots, spending, stock, disk, events, booked, sessionDeps }
}

export type TokenDisk = HeldTokenRecords & { tokens: HeldToken[] }

export function createTokenDisk(): TokenDisk {
  const isOf = (token: HeldToken, node: Uint8Array, kind: number): boolean =>
    token.kind === kind && equal(token.node, node)
  const disk: TokenDisk = {
    tokens: [],
    add: async (tokens) => void disk.tokens.push(...tokens),
    async take(node, kind, limit) {
      const taken = disk.tokens.filter((token) => isOf(token, node, kind)).slice(0, limit)
      disk.tokens = disk.tokens.filter((token) => !taken.includes(token))
      return taken
    },
    giveBack: async (tokens) => void disk.tokens.unshift(...tokens),
    list: async (node, kind) => disk.tokens.filter((token) => isOf(token, node, kind)),
    async forgetAll() {
      const gone = disk.tokens.splice(0)
      return gone.map(({ node, kind }) => ({ node, kind, count: 1 }))
    },
  }
  return disk
}

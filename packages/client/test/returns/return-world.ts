/** A client's slots on their way back, with a clock by hand, a chain and relayers in memory. */
import assert from 'node:assert/strict'
import { toHex } from '@byway/protocol/base'
import type { PathNode } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { SlotState } from '@byway/protocol/payment'
import { createPool } from '@byway/protocol/ticket'
import {
  PAY,
  REDEEM_ANSWER,
  RETURN_KIND,
  type RedeemAnswer,
  type ReturnMessageBody,
  type ReturnRequest,
} from '@byway/protocol/wire'
import type { PayCarrier, PayListener } from '../../src/money/carrier.ts'
import type { ReturnOrder, ReturnRecord } from '../../src/returns/ports.ts'
import { createReturnQueue, type ReturnQueue } from '../../src/returns/return-queue.ts'
import { createHandTimers, settle, type HandTimers } from '../engine/hand-timers.ts'
import { seededRandom } from '../../../protocol/test/circuit/seeded.ts'
import { pathNode } from '../path-node.ts'
import { createTestAuthoriser } from '../money/money-world.ts'

export const HOUR_MS: number = 3_600_000
export const MEAN_MS: number = 6 * HOUR_MS
/** Of the relayers. */
export const BATCH_WAIT_MS: number = HOUR_MS / 2
export const TO: Uint8Array = new Uint8Array(20).fill(0xee)
const POOL = createPool(nodeTicketCrypto, {
  chainId: 31_337,
  pool: new Uint8Array(20).fill(1),
  faceValue: 100_000n,
  winsPerSlot: 2,
  bond: 50_000n,
  unit: 50_000n,
})

/** Of the slot with this number. */
export const nullifierOf = (number: number): Uint8Array => new Uint8Array(32).fill(number + 1)
export const back = (number: number): ReturnOrder => ({
  nullifier: nullifierOf(number),
  kind: 'back',
})
export const withdraw = (number: number): ReturnOrder => ({
  nullifier: nullifierOf(number),
  kind: 'withdraw',
  to: TO,
})

export const join = (...numbers: readonly number[]): ReturnOrder => {
  const [nullifier = nullifierOf(0), ...others] = numbers.map(nullifierOf)
  return { kind: 'join', nullifier, rests: [nullifier, ...others] }
}

/** A relayer, as the client sees it: what it was told on which circuit, and when. */
export type Told = { readonly relay: number; readonly circuit: number; readonly atMs: number } & {
  readonly request: ReturnRequest
}

/** What a test reads and turns. */
export type ReturnState = {
  readonly timers: HandTimers
  /** The disk. */
  readonly records: ReturnRecord[]
  readonly told: Told[]
  readonly authoriser: ReturnType<typeof createTestAuthoriser>
  /** Numbers of deposits that were set aside. */
  owners: number
  /** The one that the chain has. */
  root: Uint8Array
  /** What each relay answers; the first is to the question. */
  answers: (relay: number, request: ReturnMessageBody) => RedeemAnswer | undefined
  readonly setState: (number: number, state: SlotState) => void
  circuits: number
  readonly failures: unknown[]
  /** The chain is read. */
  isSynced: boolean
}

/** A client with its relayers. */
export type ReturnWorld = Pick<ReturnState, 'timers' | 'records' | 'told' | 'authoriser'> & {
  readonly setState: ReturnState['setState']
  /** All of it, to be changed. */
  readonly world: ReturnState
  /** Starts the client's queue: `close` ends it as the end of the program does. */
  readonly start: () => Promise<ReturnQueue & { close(): Promise<void> }>
  /** Moves the clock. */
  readonly pass: (ms: number) => Promise<void>
}

/** The clock begins with 2026. */
export function createWorld(seed = 1, relayCount = 3): ReturnWorld {
  const timers = createHandTimers(Date.UTC(2026, 0, 1))
  const random = seededRandom(seed)
  const records: ReturnRecord[] = []
  const told: Told[] = []
  const states = new Map<string, SlotState>()
  const authoriser = createTestAuthoriser([])
  const world: ReturnState = {
    timers,
    records,
    told,
    authoriser,
    owners: 0,
    root: new Uint8Array(32),
    answers: () => REDEEM_ANSWER.TAKEN,
    setState: (number, state) => void states.set(toHex(nullifierOf(number)), state),
    circuits: 0,
    failures: [],
    isSynced: true,
  }
  const disk = {
    all: () => Promise.resolve([...records]),
    put(record: ReturnRecord) {
      const at = records.findIndex((one) => toHex(one.nullifier) === toHex(record.nullifier))
      if (at < 0) records.push(record)
      else records[at] = record
      return Promise.resolve()
    },
    remove(nullifier: Uint8Array) {
      const at = records.findIndex((one) => toHex(one.nullifier) === toHex(nullifier))
      records.splice(at, 1)
      return Promise.resolve()
    },
  }
  const relays = Array.from({ length: relayCount }, (_, at) => at + 1).map((number) =>
    pathNode(number, { provider: new Uint8Array(20).fill(number) }),
  )
  const open = (hop: PathNode): Promise<PayCarrier> => {
    const relay = hop.entry.descriptor.nodeId[0] ?? 0
    const circuit = ++world.circuits
    let listener: PayListener | undefined
    const carrier: PayCarrier & { isClosed: boolean } = {
      isClosed: false,
      listen: (next) => void (listener = next),
      send(messages) {
        for (const message of messages) {
          assert.ok(message.kind === PAY.RETURN)
          const { request } = message
          if (request.kind !== RETURN_KIND.ASK) {
            told.push({ relay, circuit, request, atMs: timers.nowMs() })
            const name = (one: ReturnRecord) => one.state === 'asked' && one.body.length > 0
            assert.ok(records.some(name), 'the disk has it before it is told')
          }
          const answer = world.answers(relay, request)
          if (answer === undefined) continue
          queueMicrotask(() => listener?.onPay({ kind: PAY.RETURNED, answer }))
        }
      },
      close: () => void (carrier.isClosed = true),
    }
    return Promise.resolve(carrier)
  }
  const start = async (): Promise<ReturnQueue & { close(): Promise<void> }> => {
    const closing = new AbortController()
    const queue = createReturnQueue({
      records: disk,
      reserveOwners: async (count) => (world.owners += count) - count,
      meanDelayMs: MEAN_MS,
      random,
      nowMs: timers.nowMs,
      facts: {
        of: (nullifier) =>
          world.isSynced
            ? {
                state: states.get(toHex(nullifier)) ?? 'none',
                provider: new Uint8Array(20).fill(8),
              }
            : undefined,
      },
      fee: POOL.bond,
      patienceMs: MEAN_MS,
      batchWaitMs: BATCH_WAIT_MS,
      longestDelayMs: 72 * HOUR_MS,
      ownerSecret: async (number) => BigInt(number + 1000),
      isPublished: async (root) => toHex(root) === toHex(world.root),
      crypto: nodeTicketCrypto,
      pool: POOL,
      authoriser,
      relays: () => relays,
      open: (hop) => open(hop),
      closing: closing.signal,
      onFailed: (error) => void world.failures.push(error),
      timers,
    })
    await queue.load()
    queue.start()
    const close = async (): Promise<void> => {
      closing.abort()
      await queue.stop()
    }
    return Object.assign(queue, { close })
  }
  const pass = async (ms: number): Promise<void> => {
    await timers.pass(ms)
    await settle(20)
  }
  const { setState } = world
  return { timers, records, told, authoriser, setState, world, start, pass }
}

/** The slot of a request. */
export const nameOf = ({ request }: Told): string =>
  toHex(request.kind === RETURN_KIND.REFUND ? request.nullifier : TO)

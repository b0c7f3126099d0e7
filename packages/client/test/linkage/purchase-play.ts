/**
 * An hour at one hop, seeded, in simulated time: its clients' circuits spend tokens, their slots buy some, and the hop notes when. When to buy is the real stock's (SPEC §16); the blinding is
 * not, for no value is looked at here. Written for a guess: whose purchase goes with which circuit.
 */
import assert from 'node:assert/strict'
import type { BlindTokenScheme } from '@byway/protocol/crypto'
import { nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createTokenStock, type TokenOrder, type TokenStock } from '@byway/protocol/payment'
import { PAY, VERDICT } from '@byway/protocol/wire'
import { seededRandom } from '../../../../e2e/lib/seeded.ts'
import { seededBytes } from '../../../protocol/test/crypto/seeded-bytes.ts'
import {
  BANDWIDTH,
  createClientDisk,
  createHopDisk,
  NODE,
  NOON,
  startHop,
} from '../../../protocol/test/payment/token-harness.ts'

/** What a circuit is for. */
export type Use = 'first' | 'browsing' | 'download'

/** What the hop sees, and for the test whose it was. */
export type PlayedHour = {
  /** Of each client's slot: when it bought a batch, ms. */
  readonly purchases: readonly (readonly number[])[]
  readonly circuits: readonly {
    readonly client: number
    readonly use: Use
    /** When it spent a token, ms. */
    readonly spends: readonly number[]
  }[]
}

const [SECOND_MS, MINUTE_MS] = [1000, 60_000]
const LOOK_MS = 500
const HOUR_MS = 60 * MINUTE_MS
const TOKEN_MIB = 4
/** Between two pages of a client, and what one takes. */
const PAGE_EVERY_MS = 25 * SECOND_MS
const PAGE_MIB = 2.5
const PAGE_SPREAD = 1
/** Isolation keys in use at a time, each with a circuit of its own, and how long one lasts. */
const KEYS = 4
const CIRCUIT_MS = 10 * MINUTE_MS
/** Each client fetches something large once. */
const DOWNLOAD_MIB = 500
const DOWNLOAD_MIB_A_LOOK = 5
/** A control circuit to the hop, and each batch on it; so many on one visit at most. */
const VISIT_MS = 1500
const BATCH_MS = 500
const MAX_BATCHES = 8
/** Clients come to the hop within this. */
const ARRIVALS_MS = 10 * MINUTE_MS

type Circuit = {
  readonly client: number
  readonly use: Use
  readonly endMs: number
  readonly spends: number[]
  paidMib: number
  /** Of a download: what is left. */
  leftMib: number
}

type Client = {
  readonly stock: TokenStock
  readonly beginMs: number
  readonly downloadMs: number
  nextPageMs: number
  circuits: Circuit[]
  hasBegun: boolean
  visit: { atMs: number; batches: number; order: TokenOrder } | undefined
}

/** Plays it. */
export async function playPurchases(clients: number, seed: number): Promise<PlayedHour> {
  const random = seededRandom(seed)
  const exponential = (meanMs: number): number => -Math.log(1 - random()) * meanMs
  await using hop = await startHop(createHopDisk())
  const all: Client[] = []
  for (let i = 0; i < clients; i++) {
    const stock = createTokenStock({
      scheme: UNBLINDED,
      hash: nodeCrypto,
      records: createClientDisk(),
      random: seededBytes(`timing ${seed} ${i}`),
    })
    const beginMs = random() * ARRIVALS_MS
    await stock.open(NODE, [BANDWIDTH], NOON + beginMs)
    const { keyring } = hop
    const verdict = stock.acceptKeys(NODE, keyring.keysMessage(), keyring.hash(), NOON + beginMs)
    assert.equal(verdict, 'ok')
    const downloadMs = beginMs + ARRIVALS_MS + random() * 30 * MINUTE_MS
    const rest = { circuits: [], hasBegun: false, visit: undefined }
    all.push({ stock, beginMs, downloadMs, nextPageMs: beginMs, ...rest })
  }
  const purchases: number[][] = all.map(() => [])
  const circuits: Circuit[] = []

  const open = (client: number, use: Use, nowMs: number, leftMib = 0): Circuit => {
    const life = use === 'download' ? HOUR_MS : CIRCUIT_MS * (0.5 + random())
    const circuit = { client, use, endMs: nowMs + life, spends: [], paidMib: 0, leftMib }
    circuits.push(circuit)
    return circuit
  }
  /** Pays ahead for what flows; false where there is no token now. */
  const flow = async (
    { stock }: Client,
    circuit: Circuit,
    mib: number,
    nowMs: number,
  ): Promise<boolean> => {
    while (circuit.paidMib - mib < TOKEN_MIB / 2) {
      if (stock.atHand(NODE, BANDWIDTH) === 0) await stock.refill(NODE, BANDWIDTH)
      if (!stock.spend(NODE, BANDWIDTH, NOON + nowMs)) return false
      circuit.spends.push(nowMs)
      circuit.paidMib += TOKEN_MIB
    }
    circuit.paidMib -= mib
    return true
  }
  const browse = async (client: Client, i: number, nowMs: number): Promise<void> => {
    client.circuits = client.circuits.filter(({ endMs, leftMib }) => nowMs < endMs || leftMib > 0)
    if (client.nextPageMs <= nowMs) {
      client.nextPageMs = nowMs + exponential(PAGE_EVERY_MS)
      const key = Math.floor(random() * KEYS)
      const browsing = client.circuits.filter(({ use }) => use !== 'download')
      const circuit = browsing[key] ?? open(i, client.hasBegun ? 'browsing' : 'first', nowMs)
      if (!client.circuits.includes(circuit)) client.circuits.push(circuit)
      client.hasBegun = true
      await flow(client, circuit, PAGE_MIB * logNormal(random), nowMs)
    }
    if (client.downloadMs <= nowMs && client.downloadMs > nowMs - LOOK_MS)
      client.circuits.push(open(i, 'download', nowMs, DOWNLOAD_MIB))
    for (const circuit of client.circuits)
      if (circuit.leftMib > 0 && (await flow(client, circuit, DOWNLOAD_MIB_A_LOOK, nowMs)))
        circuit.leftMib -= DOWNLOAD_MIB_A_LOOK
  }
  const shop = async (client: Client, i: number, nowMs: number): Promise<void> => {
    const { stock } = client
    const [order] = stock.orders(NOON + nowMs)
    if (order && !client.visit)
      client.visit = { atMs: nowMs + VISIT_MS * (0.5 + random()), batches: 0, order }
    const { visit } = client
    if (!visit || nowMs < visit.atMs) return
    await buy(stock, visit.order, NOON + nowMs)
    purchases[i]?.push(nowMs)
    visit.batches++
    const more = visit.batches < MAX_BATCHES ? stock.moreOf(NODE, NOON + nowMs) : undefined
    if (!more) return void (client.visit = undefined)
    client.visit = { ...visit, atMs: nowMs + BATCH_MS, order: more }
  }

  for (let nowMs = 0; nowMs < HOUR_MS; nowMs += LOOK_MS)
    for (const [i, client] of all.entries()) {
      if (nowMs < client.beginMs) continue
      await shop(client, i, nowMs)
      await browse(client, i, nowMs)
    }
  const used = circuits.filter(({ spends }) => spends.length > 0)
  return { purchases, circuits: used.map(({ client, use, spends }) => ({ client, use, spends })) }
}

async function buy(stock: TokenStock, order: TokenOrder, nowMs: number): Promise<void> {
  const asked = stock.startPurchase(order, nowMs)
  assert.ok(asked)
  const signatures = asked.elements.map(() => new Uint8Array(256))
  const sold = { kind: PAY.SOLD, request: asked.request, verdict: VERDICT.OK, signatures } as const
  const { type } = await stock.finishPurchase(NODE, sold, nowMs)
  assert.equal(type, 'stocked')
}

/** With a mean of 1. */
function logNormal(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.exp(PAGE_SPREAD * normal - PAGE_SPREAD ** 2 / 2)
}

/** Hides nothing, in no time. */
const UNBLINDED: Pick<BlindTokenScheme, 'publicKey' | 'blind' | 'finalise'> = {
  publicKey: (modulus) => nodeBlindTokens.publicKey(modulus),
  blind: (_key, messages) => {
    return {
      elements: messages.map(() => new Uint8Array(256)),
      secret: { __brand: 'BlindingSecret' },
    }
  },
  finalise: (_secret, signatures) => signatures,
}

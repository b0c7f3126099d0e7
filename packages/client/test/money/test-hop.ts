/** A hop in memory that is paid: the node's own machines for slots and tokens, on a carrier that delivers a turn later. Its lies are the test's. */
import { randomBytes } from 'node:crypto'
import { toHex } from '@byway/protocol/base'
import type { PathNode } from '@byway/protocol/directory'
import { createNodeBlindSigner, nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import {
  createPayeeSlot,
  createTokenIssuer,
  createTokenKeyring,
  createTokenRedeemer,
} from '@byway/protocol/payment'
import type { PayeeSlot, SlotStanding, TokenIssuer } from '@byway/protocol/payment'
import { createPool, unitPrice } from '@byway/protocol/ticket'
import type { Pool } from '@byway/protocol/ticket'
import {
  cellBytesOfClass,
  encodePayMessage,
  MAX_CELL_BYTES,
  PAY,
  SIZE_CLASS,
  VERDICT,
} from '@byway/protocol/wire'
import type {
  BuyMessage,
  ClassPrices,
  ClientPayMessage,
  HopPayMessage,
  Opening,
  PayMessage,
  ShownMessage,
  SpendMessage,
  TicketMessage,
  Verdict,
} from '@byway/protocol/wire'
import type { PayListener } from '../../src/money/carrier.ts'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'
import { pathNode } from '../path-node.ts'

export const PROVIDER: Uint8Array = new Uint8Array(20).fill(7)
export const PRICE_STEP = 4
const TERMS = {
  chainId: 31_337,
  pool: new Uint8Array(20).fill(3),
  faceValue: 100_000n * 4096n,
  winsPerSlot: 2,
  bond: 50_000n * 4096n,
  unit: 50_000n * 4096n,
}
export const POOL: Pool = createPool(nodeTicketCrypto, TERMS)
/** No luck fills a slot. */
export const LASTING_POOL: Pool = createPool(nodeTicketCrypto, { ...TERMS, winsPerSlot: 32 })
export const UNIT_PRICE: bigint = unitPrice(POOL, PRICE_STEP)

export type TestHop = AsyncDisposable & {
  readonly node: PathNode
  readonly tickets: TicketMessage[]
  readonly spent: SpendMessage[]
  /** Tickets that won, in order, with what a contract wants to see of them. */
  readonly wins: {
    readonly opening: Opening
    readonly ticket: TicketMessage
    readonly reveal: Uint8Array
  }[]
  /** Openings shown, in order. */
  readonly shown: Opening[]
  /** Bytes that tokens given so far are worth. */
  tokensTaken: number
  /** What it says to a showing. @default OK */
  verdictOf: (opening: Opening) => Verdict
  /** What it says of the slot when tokens are bought. @default mine */
  standing: SlotStanding
  /** Changes what it says; undefined says nothing. */
  lie: (message: HopPayMessage) => HopPayMessage | undefined
  /** Everything both sides said. */
  readonly said: (ClientPayMessage | HopPayMessage)[]
  /** Messages that it has not answered yet: it signs in a thread of its own, in real time. */
  unanswered: number
  /** A fresh way to it. */
  carrier(): ControlCarrier & { loseLink(): void }
  /** Judges a token as a circuit does. */
  takes(message: SpendMessage): Promise<boolean>
}

/** Starts a hop. @param number - makes its node id and provider */
export async function startTestHop(
  number = 1,
  options: {
    readonly nowMs?: () => number
    readonly issueDelayMs?: number
    readonly priceStep?: number
    readonly pool?: Pool
    /** @default nothing */
    readonly classPrices?: ClassPrices
    /** Gives an answer when it is its turn. @default as soon as there is one */
    readonly inTurn?: <T>(answer: Promise<T>) => Promise<T>
    /** Where a slot goes on that an earlier life of the hop was shown. @default at its first index */
    readonly firstIndexOf?: (nullifier: Uint8Array) => number
  } = {},
): Promise<TestHop> {
  const nowMs = options.nowMs ?? Date.now
  const signer = createNodeBlindSigner()
  const kept = new Map<string, never>()
  const records = {
    list: async () => [...kept.values()],
    add: async () => {},
    put: async () => {},
    remove: async () => ({ sold: 0, spent: 0 }),
  }
  const keyring = createTokenKeyring({
    scheme: pooledScheme(number),
    hash: nodeCrypto,
    records,
    nodeId: pathNode(number).entry.descriptor.nodeId,
  })
  await keyring.rotate(nowMs())
  const issueDelayMs = options.issueDelayMs ?? 0
  const issuer = createTokenIssuer({
    keyring,
    signer,
    hash: nodeCrypto,
    records: { ...records, remove: async () => {} },
    issueDelayMs,
  })
  const known = new Set<string>()
  const redeemer = createTokenRedeemer({
    scheme: nodeBlindTokens,
    hash: nodeCrypto,
    keyring,
    random: randomBytes,
    spent: {
      spend: async (_keyId, nonce) => {
        const isKnown = known.has(toHex(nonce))
        known.add(toHex(nonce))
        return isKnown ? 'spent' : 'fresh'
      },
    },
  })
  const priceStep = options.priceStep ?? PRICE_STEP
  const provider = PROVIDER.map((byte) => byte + number)
  const hop: TestHop = {
    node: pathNode(number, {
      provider,
      priceStep,
      tokenKeysHash: keyring.hash(),
      ...(options.classPrices && { classPrices: options.classPrices }),
    }),
    tickets: [],
    spent: [],
    wins: [],
    shown: [],
    tokensTaken: 0,
    verdictOf: () => VERDICT.OK,
    standing: 'mine',
    lie: (message) => message,
    said: [],
    unanswered: 0,
    carrier() {
      const answer = desk()
      const { inTurn } = options
      return new TestCarrier(hop, inTurn ? (message) => inTurn(answer(message)) : answer)
    },
    async takes(message) {
      const redeemed = redeemer.spend(message, nowMs())
      if (redeemed.verdict !== VERDICT.OK) return false
      return (await redeemed.kept) === 'fresh'
    },
    [Symbol.asyncDispose]: () => signer[Symbol.asyncDispose](),
  }
  const desk = (): Desk =>
    createDesk({
      hop,
      pool: options.pool ?? POOL,
      provider,
      priceStep,
      issuer,
      nowMs,
      keys: () => keyring.keysMessage(),
      firstIndexOf: options.firstIndexOf ?? (() => 0),
    })
  return hop
}

/** What one carrier's messages are answered with. */
type Desk = (message: ClientPayMessage) => Promise<readonly HopPayMessage[]>
type DeskDeps = {
  readonly hop: TestHop
  readonly pool: Pool
  readonly provider: Uint8Array
  readonly priceStep: number
  readonly issuer: TokenIssuer
  readonly nowMs: () => number
  readonly keys: () => HopPayMessage
  readonly firstIndexOf: (nullifier: Uint8Array) => number
}

/** Where each slot went on: a slot shown again goes on after the commits that went out. */
const floors = new WeakMap<TestHop, Map<string, number>>()

function createDesk(deps: DeskDeps): Desk {
  const { hop, pool, provider, priceStep, issuer, nowMs, keys, firstIndexOf } = deps
  let slot: { readonly payee: PayeeSlot; readonly opening: Opening } | undefined
  let hasPaid = false
  const ofHop = floors.get(hop) ?? new Map<string, number>()
  floors.set(hop, ofHop)

  function show(opening: Opening): readonly HopPayMessage[] {
    hop.shown.push(opening)
    const verdict = hop.verdictOf(opening)
    const { nullifier } = opening
    const answer: ShownMessage = {
      kind: PAY.SHOWN,
      verdict,
      nullifier,
      provider,
      priceStep,
    }
    if (verdict !== VERDICT.OK) return [answer]
    const key = nodeTicketCrypto.sha256(provider, nullifier)
    const firstIndex = ofHop.get(toHex(nullifier)) ?? firstIndexOf(nullifier)
    const price = unitPrice(pool, priceStep)
    const terms = { crypto: nodeTicketCrypto, pool, provider, price }
    slot = { opening, payee: createPayeeSlot(terms, { opening, key, firstIndex, wins: [] }) }
    return [answer, ...commits()]
  }

  function commits(): readonly HopPayMessage[] {
    const message = slot?.payee.nextCommits()
    if (!slot || !message) return []
    const next = message.firstIndex + message.commits.length
    ofHop.set(toHex(slot.opening.nullifier), next)
    return [message]
  }

  function take(ticket: TicketMessage): readonly HopPayMessage[] {
    if (slot?.payee.isFull === true) return []
    const result = slot?.payee.onTicket(ticket) ?? { verdict: VERDICT.BAD_INDEX }
    if (!slot || result.verdict !== VERDICT.OK) {
      const verdict = result.verdict === VERDICT.OK ? VERDICT.BAD_INDEX : result.verdict
      return [{ kind: PAY.REFUSED, verdict, index: ticket.index }]
    }
    hop.tickets.push(ticket)
    if (result.reveal) hop.wins.push({ opening: slot.opening, ticket, reveal: result.reveal })
    hasPaid = true
    issuer.credit(slot.opening.nullifier, result.units, nowMs())
    return result.full ? [result.full] : commits()
  }

  async function buy(message: BuyMessage): Promise<readonly HopPayMessage[]> {
    const nullifier = slot?.opening.nullifier ?? new Uint8Array(32)
    if (!hasPaid && !issuer.isRepeat(message, nullifier)) {
      const { request } = message
      return [{ kind: PAY.SOLD, request, verdict: VERDICT.NOT_PAID, signatures: [] }]
    }
    const sale = await issuer.buy(message, nullifier, hop.standing, nowMs())
    return [sale.message]
  }

  return async (message) => {
    if (message.kind === PAY.SHOW) return show(message.opening)
    if (message.kind === PAY.TICKET) return take(message)
    if (message.kind === PAY.BUY) return buy(message)
    if (message.kind === PAY.RECEIPT) {
      const { nullifier, epoch, units, signature } = message
      return [{ kind: PAY.HELD, nullifier, epoch, units, signature }]
    }
    return message.kind === PAY.KEYS_GET ? [keys()] : []
  }
}

/** Of a message in its cell: headers, and what seals it at each of three hops. */
const AROUND_BYTES = 96

class TestCarrier implements ControlCarrier {
  isClosed = false
  carriedBytes = 0
  readonly #hop: TestHop
  readonly #desk: Desk
  #listener: PayListener | undefined
  #order: Promise<void> = Promise.resolve()

  constructor(hop: TestHop, desk: Desk) {
    this.#hop = hop
    this.#desk = desk
  }

  listen(listener: PayListener): void {
    this.#listener = listener
  }

  send(messages: readonly ClientPayMessage[]): void {
    for (const message of messages) {
      this.#hop.said.push(message)
      this.#count(message)
      this.#hop.unanswered++
      this.#order = this.#order.then(() => this.#answer(message))
    }
  }

  close(): void {
    this.#close(false)
  }

  loseLink(): void {
    this.#close(true)
  }

  #close(isLinkLost: boolean): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#listener?.onClosed(isLinkLost)
  }

  /** Each message in the smallest cell that holds it and what goes around it. */
  #count(message: PayMessage): void {
    const bytes = encodePayMessage(message).length + AROUND_BYTES
    const classes = [SIZE_CLASS.SMALL, SIZE_CLASS.MEDIUM].map(cellBytesOfClass)
    this.carriedBytes += classes.find((most) => bytes <= most) ?? MAX_CELL_BYTES
  }

  async #answer(message: ClientPayMessage): Promise<void> {
    await new Promise(setImmediate)
    const answers = await this.#desk(message)
    this.#hop.unanswered--
    for (const answer of answers) {
      const said = this.#hop.lie(answer)
      if (!said || this.isClosed) continue
      this.#hop.said.push(said)
      this.#count(said)
      this.#listener?.onPay(said)
    }
  }
}

/** Making RSA keys takes a tenth of a second: hops of one number have the same in each test of a file. */
const made = new Map<string, ReturnType<typeof nodeBlindTokens.generateKeyPair>>()

function pooledScheme(number: number): typeof nodeBlindTokens {
  let next = 0
  return {
    ...nodeBlindTokens,
    generateKeyPair() {
      const name = `${number} ${next++}`
      const pair = made.get(name) ?? nodeBlindTokens.generateKeyPair()
      made.set(name, pair)
      return pair
    },
  }
}

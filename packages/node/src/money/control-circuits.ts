/**
 * The control circuits that end at this node (SPEC §15.5): slots are shown, tickets taken, tokens sold. Each is short and small; limits for each link keep one neighbour's
 * clients from taking the desk for themselves.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import { createControlHop } from '@byway/protocol/circuit'
import type { ControlHop } from '@byway/protocol/circuit'
import type { TokenIssuer } from '@byway/protocol/payment'
import type { Link } from '@byway/protocol/link'
import {
  CLOSE_REASON,
  PAY,
  REDEEM_ANSWER,
  RETURN_KIND,
  TOKEN_KIND,
  VERDICT,
} from '@byway/protocol/wire'
import type {
  BuyMessage,
  ClientPayMessage,
  CloseReason,
  HopPayMessage,
  RedeemAnswer,
  ReturnMessageBody,
} from '@byway/protocol/wire'
import { createTokenBucket } from '../exit/rate.ts'
import type { TokenBucket } from '../exit/rate.ts'
import type { Relayer } from '../redemption/relayer.ts'
import type { TerminalHandler } from '../relay/ports.ts'
import type { Books } from './books.ts'
import { createChainTalk } from './chain-talk.ts'
import type { ChainTalk, ChainTalkDeps } from './chain-talk.ts'
import type { ControlDesk, ControlEnd } from './control-desk.ts'
import { createSlotSession } from './slot-session.ts'
import type { SlotSession, SlotSessionDeps } from './slot-session.ts'
import { tokenKindName } from './token-desk.ts'
import type { TokenIntake } from './token-intake.ts'

// Protocol constant (change needs a spec change): SPEC §15.5.
const CONTROL_BYTES = 256 * 1024

// Protocol constant (change needs a spec change): SPEC §15.8.
/** One question whether a hop is a relayer, and one slot. */
const MAX_ASKED = 2

// Local limits (tunable): docs/LIMITS.md.
/** Control circuits of one link: a neighbour carries those of many clients. */
const MAX_PER_NODE_LINK = 256
const MAX_PER_CLIENT_LINK = 8
const MAX_CIRCUITS = 4096
/** Showings that one link may ask for: judging one takes milliseconds. */
const SHOWS_PER_S = 10
const SHOW_BURST = 60
/** Questions about the chain that one link may ask: a client's polls now and then, a neighbour's carry those of many. */
const CHAIN_PER_S = { node: 20, client: 4 }
const CHAIN_BURST = { node: 200, client: 60 }
/** A client waits at most for the issue delay, and asks again meanwhile. */
const IDLE_MS = 120_000
/** Judging a return takes some questions to the chain and one write. */
const RETURN_TIMEOUT_MS = 15_000
/** Purchases of one circuit under way. */
const MAX_PURCHASES = 4

export type ControlCircuitsDeps = SlotSessionDeps & {
  readonly tokens: Pick<TokenIntake, 'keysMessage'>
  readonly issuer: Pick<TokenIssuer, 'hasRoom' | 'credit' | 'buy' | 'isRepeat'>
  readonly books: Pick<Books, 'ticket' | 'refusedTicket' | 'tokensSold'>
  /** Sends slots back to their owners; absent where the node does not. */
  readonly relayer: Pick<Relayer, 'ask' | 'take'> | undefined
  /** Answers questions about the chain; absent where the node does not. */
  readonly chainAnswers: ChainTalkDeps['answerer']
  /** Monotonic. */
  readonly nowMs: () => number
  readonly wallMs: () => number
}

/** The control circuits of a node. */
export interface ControlCircuits extends ControlDesk {
  readonly size: number
  /** Questions about the chain that were answered, whatever was said. */
  readonly chainQuestions: number
  /** Ends what has been silent for too long. */
  sweep(): void
}

/** Creates a desk without circuits. */
export function createControlCircuits(deps: ControlCircuitsDeps): ControlCircuits {
  return new Desk(deps)
}

/** What one link has. */
type LinkUse = { circuits: number; readonly shows: TokenBucket; readonly questions: TokenBucket }

class Desk implements ControlCircuits {
  readonly #deps: ControlCircuitsDeps
  readonly #circuits = new Set<ControlCircuit>()
  readonly #links = new WeakMap<Link, LinkUse>()
  chainQuestions = 0

  constructor(deps: ControlCircuitsDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#circuits.size
  }

  open(end: ControlEnd, list: Uint8Array): TerminalHandler | CloseReason {
    const { link } = end.terminal
    const use = this.#useOf(link)
    const most = link.peer.role === 'client' ? MAX_PER_CLIENT_LINK : MAX_PER_NODE_LINK
    if (use.circuits >= most || this.#circuits.size >= MAX_CIRCUITS) {
      return CLOSE_REASON.RESOURCE_LIMIT
    }
    use.circuits++
    const circuit = new ControlCircuit(this.#deps, end, {
      mayShow: () => use.shows.tryTake(this.#deps.nowMs()) === 0,
      mayAsk: () => use.questions.tryTake(this.#deps.nowMs()) === 0,
      onTold: () => this.chainQuestions++,
      onClosed: () => {
        use.circuits--
        this.#circuits.delete(circuit)
      },
    })
    this.#circuits.add(circuit)
    circuit.onFirstList(list)
    return circuit
  }

  sweep(): void {
    const nowMs = this.#deps.nowMs()
    for (const circuit of this.#circuits) {
      if (nowMs - circuit.heardAtMs >= IDLE_MS) circuit.end(CLOSE_REASON.FINISHED)
    }
  }

  #useOf(link: Link): LinkUse {
    const known = this.#links.get(link)
    if (known) return known
    const role = link.peer.role === 'client' ? 'client' : 'node'
    const use = {
      circuits: 0,
      shows: createTokenBucket(SHOWS_PER_S, SHOW_BURST),
      questions: createTokenBucket(CHAIN_PER_S[role], CHAIN_BURST[role]),
    }
    this.#links.set(link, use)
    return use
  }
}

type CircuitEvents = {
  readonly mayShow: () => boolean
  readonly mayAsk: () => boolean
  readonly onTold: () => void
  readonly onClosed: () => void
}

class ControlCircuit implements TerminalHandler {
  heardAtMs: number
  readonly #deps: ControlCircuitsDeps
  readonly #end: ControlEnd
  readonly #events: CircuitEvents
  readonly #hop: ControlHop
  readonly #session: SlotSession
  readonly #chain: ChainTalk
  #purchases = 0
  /** The nullifier of the slot of which a ticket was taken here: whoever signs is its owner, whoever only shows it may have seen the opening on the chain. */
  #paidSlot: Uint8Array | undefined
  /** SPEC §15.8: one circuit asks for one slot, so that no two of a batch are known to be of one client. */
  #hasReturned = false
  #asked = 0
  #isClosed = false

  constructor(deps: ControlCircuitsDeps, end: ControlEnd, events: CircuitEvents) {
    this.#deps = deps
    this.#end = end
    this.#events = events
    this.heardAtMs = deps.nowMs()
    this.#hop = createControlHop(end.leg, { onPay: (pay) => this.#onPay(pay) })
    this.#chain = createChainTalk({
      answerer: deps.chainAnswers,
      mayAsk: events.mayAsk,
      send: (told) => this.#send(told),
      onTold: events.onTold,
    })
    this.#session = createSlotSession(deps, {
      use: 'tokens',
      send: (pay) => this.#send(pay),
      onFault: () => this.end(CLOSE_REASON.PROTOCOL),
      hasRoom: ({ opening }) => deps.issuer.hasRoom(opening.nullifier),
      credit: (units, { opening }) => {
        this.#paidSlot = opening.nullifier
        deps.issuer.credit(opening.nullifier, units, deps.wallMs())
      },
    })
  }

  onFirstList(list: Uint8Array): void {
    this.#settle(this.#hop.onList(list))
  }

  onCell(cell: Uint8Array): void {
    if (this.#isClosed) return
    this.heardAtMs = this.#deps.nowMs()
    this.#settle(this.#hop.onCell(cell))
  }

  onClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#session.close()
    this.#chain.close()
    this.#events.onClosed()
  }

  end(reason: CloseReason): void {
    if (this.#isClosed) return
    this.onClose()
    this.#end.destroy(reason)
  }

  #settle(isGood: boolean): void {
    if (!isGood) this.end(CLOSE_REASON.PROTOCOL)
    else this.#pump()
  }

  #send(pay: HopPayMessage): void {
    if (this.#isClosed) return
    if (this.#hop.pay(pay)) this.#pump()
    else this.end(CLOSE_REASON.RESOURCE_LIMIT)
  }

  /** SPEC §15.5: 256 KiB each; hops before this one hold what is beyond. */
  #pump(): void {
    if (this.#isClosed) return
    this.#hop.pump()
    if (this.#end.terminal.carriedBytes() > CONTROL_BYTES) this.end(CLOSE_REASON.UNPAID)
  }

  #onPay(pay: ClientPayMessage): boolean {
    switch (pay.kind) {
      case PAY.SHOW:
        if (!this.#events.mayShow()) return this.#refuseShow(pay.opening.nullifier)
        void this.#session.onShow(pay.opening)
        return true
      case PAY.TICKET:
        this.#session.onTicket(pay)
        return true
      case PAY.KEYS_GET:
        this.#send(this.#deps.tokens.keysMessage())
        return true
      case PAY.BUY:
        void this.#buy(pay)
        return true
      case PAY.RECEIPT:
        this.#session.onReceipt(pay)
        return true
      case PAY.RETURN:
        return this.#onReturn(pay.request)
      case PAY.CHAIN:
        return this.#chain.onQuestion(pay)
      case PAY.NEXT:
      case PAY.SPEND:
        // SPEC §15.2, §15.5: a slot is said to follow on links only, and a control circuit takes no token.
        return false
    }
  }

  #onReturn(request: ReturnMessageBody): boolean {
    if (this.#asked >= MAX_ASKED || this.#hasReturned) return false
    this.#asked++
    this.#hasReturned = request.kind !== RETURN_KIND.ASK
    void this.#return(request)
    return true
  }

  /** Judging one asks the chain, like a showing. */
  async #return(request: ReturnMessageBody): Promise<void> {
    const { relayer } = this.#deps
    let answer: RedeemAnswer = relayer ? REDEEM_ANSWER.TRY_LATER : REDEEM_ANSWER.NO_REDEEMER
    if (relayer && this.#events.mayShow()) {
      const limit = AbortSignal.timeout(RETURN_TIMEOUT_MS)
      const isAsk = request.kind === RETURN_KIND.ASK
      answer = isAsk ? await relayer.ask(limit) : await relayer.take(request, limit)
    }
    this.#send({ kind: PAY.RETURNED, answer })
  }

  #refuseShow(nullifier: Uint8Array): boolean {
    const { provider, priceStep } = this.#deps
    const verdict = VERDICT.TRY_LATER
    this.#send({ kind: PAY.SHOWN, verdict, nullifier, provider, priceStep })
    return true
  }

  async #buy(buy: BuyMessage): Promise<void> {
    const { slot } = this.#session
    const isOwners = slot !== undefined && this.#mayBuy(buy, slot.opening.nullifier)
    if (!isOwners || this.#purchases >= MAX_PURCHASES) {
      const verdict = isOwners ? VERDICT.TRY_LATER : VERDICT.NOT_PAID
      this.#send({ kind: PAY.SOLD, request: buy.request, verdict, signatures: [] })
      return
    }
    this.#purchases++
    // SPEC §15.2: SLOT_FULL goes first, so that the client knows which tickets count.
    await slot.kept()
    // Of this moment, not of the showing: somebody else may have locked the slot since.
    const standing = await slot.standing()
    const { issuer, books, bulk, wallMs } = this.#deps
    const sale = await issuer.buy(buy, slot.opening.nullifier, standing, wallMs())
    this.#purchases--
    const isEarly = standing === 'open' && sale.message.verdict === VERDICT.TRY_LATER
    if (isEarly && buy.tokenKind !== TOKEN_KIND.ADMISSION) bulk.wanted(slot.opening)
    if (sale.sold > 0) books.tokensSold(tokenKindName(buy.tokenKind), sale.sold, sale.units)
    this.#send(sale.message)
  }

  #mayBuy(buy: BuyMessage, nullifier: Uint8Array): boolean {
    const { issuer } = this.#deps
    const isPayer = this.#paidSlot !== undefined && equalBytes(this.#paidSlot, nullifier)
    return isPayer || issuer.isRepeat(buy, nullifier)
  }
}

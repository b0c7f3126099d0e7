/**
 * The accounts of clients' links at their entry (SPEC §15.3): one count for all circuits of a link, paid by the tickets of the slot that the client shows on it.
 * @module
 */
import type { FreePrefixes } from '@byway/protocol/payment'
import type { Link } from '@byway/protocol/link'
import { isClientPay, LINK_MESSAGE, PAY, VERDICT } from '@byway/protocol/wire'
import type { HopPayMessage, Opening, PayMessage } from '@byway/protocol/wire'
import type { LinkMoney } from '../node-links.ts'
import type { Books } from './books.ts'
import { createCellToll } from './held-cells.ts'
import type { CellToll } from './held-cells.ts'
import { createLinkPace } from './link-pace.ts'
import { createSlotSession } from './slot-session.ts'
import type { SlotSession, SlotSessionDeps } from './slot-session.ts'
import type { TokenIntake } from './token-intake.ts'
import type { MeterWatch } from './meter-watch.ts'

export type LinkAccountsDeps = SlotSessionDeps & {
  readonly watch: MeterWatch
  /** The faster timer, of links that are served as fast as a slot may be that nobody holds. */
  readonly turns: MeterWatch
  readonly free: FreePrefixes
  readonly unitBytes: number
  readonly tokens: Pick<TokenIntake, 'keysMessage'>
  readonly books: Pick<Books, 'ticket' | 'refusedTicket' | 'openToll'>
}

/** The accounts of a node's client links. */
export interface LinkAccounts extends LinkMoney {
  tollOf(link: Link): CellToll | undefined
  /** Bytes of cells that wait for pay. */
  readonly heldBytes: number
}

/** Creates a table without links. */
export function createLinkAccounts(deps: LinkAccountsDeps): LinkAccounts {
  return new Accounts(deps)
}

type Account = {
  readonly toll: CellToll
  readonly session: SlotSession
  readonly book: { close(): void }
  shows: number
  atMs: number
}

// Local limits (tunable): docs/LIMITS.md. A client shows a slot for each few GiB; judging one takes milliseconds.
const SHOWS_PER_S = 0.5
const SHOW_BURST = 8

class Accounts implements LinkAccounts {
  readonly #deps: LinkAccountsDeps
  readonly #accounts = new Map<Link, Account>()

  constructor(deps: LinkAccountsDeps) {
    this.#deps = deps
  }

  get heldBytes(): number {
    let bytes = 0
    for (const { toll } of this.#accounts.values()) bytes += toll.heldBytes
    return bytes
  }

  tollOf(link: Link): CellToll | undefined {
    return this.#accounts.get(link)?.toll
  }

  openLink(link: Link, prefix: string): void {
    const { watch, turns, free, unitBytes, books } = this.#deps
    const nowMs = watch.nowMs()
    const send = (pay: HopPayMessage): void => link.send({ type: LINK_MESSAGE.PAY, pay })
    const toll = createCellToll({
      watch,
      free: free.linkBucket(prefix, nowMs),
      onDue: (due) => send({ kind: PAY.DUE, ...due }),
      pace: { of: createLinkPace(() => session.slot), watch: turns },
    })
    const credit = (units: number): void => toll.credit(units * unitBytes)
    const hasRoom = (): boolean => true
    const onFault = (): void => link.close('protocol')
    const session = createSlotSession(this.#deps, { use: 'link', send, hasRoom, credit, onFault })
    const book = books.openToll('entry', toll)
    this.#accounts.set(link, { toll, session, book, shows: SHOW_BURST, atMs: nowMs })
  }

  onPay(link: Link, pay: PayMessage): void {
    const account = this.#accounts.get(link)
    // SPEC §15.1: what the other side sends breaks the link; an entry sells no tokens and takes none.
    if (!account || !isClientPay(pay)) link.close('protocol')
    else if (pay.kind === PAY.TICKET) account.session.onTicket(pay)
    else if (pay.kind === PAY.RECEIPT) account.session.onReceipt(pay)
    else if (pay.kind === PAY.NEXT) this.#onNext(account, pay.opening)
    else if (pay.kind === PAY.KEYS_GET) {
      link.send({ type: LINK_MESSAGE.PAY, pay: this.#deps.tokens.keysMessage() })
    } else if (pay.kind !== PAY.SHOW) link.close('protocol')
    else if (this.#mayShow(account)) void account.session.onShow(pay.opening)
    else {
      const { provider, priceStep } = this.#deps
      const { nullifier } = pay.opening
      const verdict = VERDICT.TRY_LATER
      const answer = { kind: PAY.SHOWN, verdict, nullifier, provider, priceStep } as const
      link.send({ type: LINK_MESSAGE.PAY, pay: answer })
    }
  }

  closeLink(link: Link): void {
    const account = this.#accounts.get(link)
    if (!account) return
    this.#accounts.delete(link)
    account.session.close()
    account.book.close()
    account.toll.close()
  }

  /** One too many is passed over: its client shows the slot all the same when it is its turn. */
  #onNext(account: Account, opening: Opening): void {
    if (this.#mayShow(account)) account.session.onNext(opening)
  }

  #mayShow(account: Account): boolean {
    const nowMs = this.#deps.watch.nowMs()
    const earned = ((nowMs - account.atMs) / 1000) * SHOWS_PER_S
    account.shows = Math.min(SHOW_BURST, account.shows + earned)
    account.atMs = nowMs
    if (account.shows < 1) return false
    account.shows--
    return true
  }
}

/** Shows to the contract who used a slot twice: the slot's bond is burned, and a part of it pays for the showing, or most of it (SPEC §14.4, ADR 0014). */
import { equalBytes, toHex } from '@byway/protocol/base'
import type { CallEvidence, CallSignedTicket, CallTicket, SlotBind } from '@byway/chain'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { ContractCall, TransactionReceipt } from '@byway/protocol/payment'
import { commitOf, openingSaid } from '@byway/protocol/ticket'
import { decodeOpening, type Opening } from '@byway/protocol/wire'
import type { StoredWinner } from '@byway/store'
import type { SlotCase } from './fate.ts'
import type { RedemptionDeps } from './ports.ts'
import { sendResultOf } from './sender.ts'

/** The contract's: of a bond, to whoever shows the conflict. */
const REWARD_DIVISOR = 10n

// Local limits (tunable): docs/LIMITS.md.
/** Of two slot proofs with the rest of the call, and of a ticket against a bound slot (contracts/GAS.md), rounded up. */
const REPORT_GAS = { openings: 400_000n, tickets: 100_000n } as const
/** Of the win that was lost, so much more is spent on showing why: at the start values a tenth of a bond is half the gas of two proofs, and who is never shown goes on. */
const LOST_DIVISOR = 10n

const WEI_PER_COIN = 10n ** 18n

type ReportKind = keyof typeof REPORT_GAS
type Report = { readonly call: ContractCall; readonly kind: ReportKind }

/** The most that a unit of gas may cost in a report, wei. */
export function reportCapOf(
  kind: ReportKind,
  { bond, worth }: Pick<RedemptionDeps, 'bond' | 'worth'>,
): bigint {
  const budget = bond / REWARD_DIVISOR + worth.winValue / LOST_DIVISOR
  return (budget * WEI_PER_COIN) / (worth.coinPrice * REPORT_GAS[kind])
}
type Landed = { readonly nullifier: Uint8Array; readonly receipt: TransactionReceipt }

/** Knows the slots that were taken from us. What it has not done is found again after a restart, for as long as settled winners are watched. */
export class Conflicts {
  readonly #deps: RedemptionDeps
  /** Nothing more to do for these slots, or it is on its way. */
  readonly #done = new Set<string>()
  readonly #reports = new Map<string, Report>()
  readonly #landed: Landed[] = []

  constructor(deps: RedemptionDeps) {
    this.#deps = deps
  }

  /** Books what was mined, shows what pays for its gas. @throws what the chain throws that cannot be asked: the next look goes on */
  async look(cases: readonly SlotCase[], signal: AbortSignal): Promise<void> {
    if (!this.#deps.lane) return
    await this.#book(signal)
    for (const slot of cases) {
      const winner = slot.winners.find(({ reason }) => reason === 'taken')
      if (!winner || slot.holder !== 'other' || this.#done.has(toHex(slot.nullifier))) continue
      await this.#show(winner, signal)
    }
  }

  async #show(winner: StoredWinner, signal: AbortSignal): Promise<void> {
    const { lane } = this.#deps
    const name = toHex(winner.nullifier)
    try {
      const report = await this.#reportOf(winner, signal)
      if (!report || !lane) return void this.#done.add(name)
      const feeCap = reportCapOf(report.kind, this.#deps)
      const { confirmed } = await lane.send(
        { ...report.call, key: `conflict:${name}`, feeCap },
        signal,
      )
      this.#done.add(name)
      confirmed.then(
        (receipt) => this.#landed.push({ nullifier: winner.nullifier, receipt }),
        () => this.#done.delete(name),
      )
    } catch (error) {
      // Refused: another was faster, or a proof holds no more. Everything else may be otherwise later.
      if (sendResultOf(error) === 'reverted') this.#done.add(name)
    }
  }

  async #reportOf(winner: StoredWinner, signal: AbortSignal): Promise<Report | undefined> {
    const name = toHex(winner.nullifier)
    const known = this.#reports.get(name)
    if (known) return known
    const rival = await this.#deps.chain.bindOf(winner.nullifier, signal)
    const report = rival && reportOf(winner, rival, this.#deps)
    if (report) this.#reports.set(name, report)
    return report
  }

  async #book(signal: AbortSignal): Promise<void> {
    const { chain, events, provider, nowMs } = this.#deps
    for (let landed = this.#landed[0]; landed; landed = this.#landed[0]) {
      const { nullifier, receipt } = landed
      const told = await chain.eventsOf(receipt.hash, signal)
      this.#landed.shift()
      this.#reports.delete(toHex(nullifier))
      for (const event of told ?? []) {
        if (event.name !== 'bond-burned' || !equalBytes(event.reporter, provider)) continue
        const id = `conflict:${receipt.hash}`
        await events.record({ id, atMs: nowMs(), type: 'fee-earned', amount: event.reward })
      }
    }
  }
}

/** Two openings of one slot, or one with tickets for two providers; nothing where its owner did neither. */
function reportOf(
  winner: StoredWinner,
  rival: SlotBind,
  { calls, provider }: Pick<RedemptionDeps, 'calls' | 'provider'>,
): Report | undefined {
  const opening = decodeOpening(winner.opening)
  const [ours, theirs] = [evidenceOf(opening), evidenceOf(rival.opening)]
  if (!equalBytes(ours.said, theirs.said))
    return { call: calls.conflictOpenings(winner.nullifier, ours, theirs), kind: 'openings' }
  if (equalBytes(rival.provider, provider)) return undefined
  // The bind has shown the opening and the rival's ticket: nothing of them is judged again.
  const bound = { ...opening, proof: NO_BYTES }
  const theirTicket = { ...NO_TICKET, provider: rival.provider }
  const call = calls.conflictTickets(bound, theirTicket, signedTicketOf(winner, provider))
  return { call, kind: 'tickets' }
}

const NO_BYTES = new Uint8Array(0)
const NO_TICKET = {
  index: 0,
  amount: 0n,
  commit: new Uint8Array(32),
  nonce: new Uint8Array(16),
  signature: NO_BYTES,
} as const

function evidenceOf({
  root,
  sessionKey,
  receiptKey,
  proof,
}: Omit<Opening, 'nullifier'>): CallEvidence {
  return { root, said: openingSaid({ sessionKey, receiptKey }), proof }
}

function signedTicketOf(
  { index, amount, reveal, nonce, signature }: CallTicket,
  provider: Uint8Array,
): CallSignedTicket {
  return { provider, index, amount, commit: commitOf(nodeTicketCrypto, reveal), nonce, signature }
}

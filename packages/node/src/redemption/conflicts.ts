/** Shows to the contract who used a slot twice: the slot's bond is burned, and a part of it pays for the showing (SPEC §14.4). */
import { equalBytes, toHex } from '@byway/protocol/base'
import type { CallEvidence, CallSignedTicket, CallTicket, SlotBind } from '@byway/chain'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { ContractCall, TransactionReceipt } from '@byway/protocol/payment'
import { commitOf, openingX } from '@byway/protocol/ticket'
import { decodeOpening, type Opening } from '@byway/protocol/wire'
import type { StoredWinner } from '@byway/store'
import type { SlotCase } from './fate.ts'
import { gasPaid } from './gas-paid.ts'
import type { RedemptionDeps } from './ports.ts'
import { sendResultOf } from './sender.ts'

/** The contract's: of a bond, to whoever shows the conflict. */
const REWARD_DIVISOR = 10n

// Local limits (tunable): docs/LIMITS.md.
/** Gas of two slot proofs that are judged alone, of one, and of the rest of the call (contracts/GAS.md), rounded up. */
const OPENINGS_GAS = 640_000n
const TICKETS_GAS = 380_000n
const WEI_PER_COIN = 10n ** 18n

type Report = { readonly call: ContractCall; readonly gas: bigint }
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
    const { lane, worth, bond } = this.#deps
    const name = toHex(winner.nullifier)
    try {
      const report = await this.#reportOf(winner, signal)
      if (!report || !lane) return void this.#done.add(name)
      const reward = (bond / REWARD_DIVISOR) * WEI_PER_COIN
      const feeCap = reward / (worth.coinPrice * report.gas)
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
      await events.record(gasPaid(receipt, nowMs()))
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
  if (ours.x !== theirs.x)
    return { call: calls.conflictOpenings(winner.nullifier, ours, theirs), gas: OPENINGS_GAS }
  if (equalBytes(rival.provider, provider)) return undefined
  const own = signedTicketOf(winner, provider)
  const other = signedTicketOf(rival.ticket, rival.provider)
  return { call: calls.conflictTickets(opening, own, other), gas: TICKETS_GAS }
}

function evidenceOf({
  root,
  sessionKey,
  receiptKey,
  proof,
}: Omit<Opening, 'nullifier'>): CallEvidence {
  return { root, x: openingX(nodeTicketCrypto, { sessionKey, receiptKey }), proof }
}

function signedTicketOf(
  { index, amount, reveal, nonce, signature }: CallTicket,
  provider: Uint8Array,
): CallSignedTicket {
  return { provider, index, amount, commit: commitOf(nodeTicketCrypto, reveal), nonce, signature }
}

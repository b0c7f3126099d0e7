/**
 * Commits to each epoch's receipts, draws its beacon, publishes the proof, answers who doubts it, and fetches what was held back (SPEC §17.5). Asks the chain anew at each look: a
 * restart, another's transaction and a reorganisation look the same. What cannot be done now is done at a later look, as long as there is time. What there is no coin for is left with
 * redeemers (SPEC §15.7).
 * @module
 */
import type {
  ChainView,
  CommitmentStatus,
  LaneCall,
  ProofCalls,
  ProofsView,
  ServiceAnswer,
  ServiceCommitment,
  TransactionLane,
} from '@byway/chain'
import { isBywayError } from '@byway/protocol/base'
import { REDEEM_KIND } from '@byway/protocol/wire'
import { sendUnfollowed } from './gas-paid.ts'
import { dueRoundS, type Now, openEpochs, roundsOf } from './epoch-times.ts'
import { createLeftSteps, type LeftSteps } from './left-steps.ts'
import { isChainAway, isPassing } from './passing.ts'
import type { Redeemers } from './redeemers.ts'

/** What a node proves with: its receipts and the audit's program. */
export interface ServiceProver {
  /** What to commit to; undefined where nobody signed anything in this epoch, which is over. */
  commitment(epoch: number, signal: AbortSignal): Promise<ServiceCommitment | undefined>
  /** The proof of what was committed to, published: half a minute of all cores. @throws BywayError where the program, these very receipts or the openings are not there */
  proof(epoch: number, drawn: DrawnCommitment, signal: AbortSignal): Promise<ServiceAnswer>
}

/** What the chain has of an epoch: the root that we committed to, and what was drawn. */
export type DrawnCommitment = { readonly root: bigint; readonly beacon: bigint }

/** What an operator may have to act on. */
export type ServiceAlert =
  /** Nothing was committed to an epoch in time: what it held back is lost. */
  | { readonly type: 'epoch-lost'; readonly epoch: number; readonly held: bigint }
  /** Commitment or proof cannot be made; without the one the epoch is lost, without the other a challenge takes the stake. */
  | { readonly type: 'proof-missing'; readonly epoch: number; readonly code: string }
  /** The commitment waits until then for coin for gas, or a redeemer that takes it; after that the epoch is lost. */
  | { readonly type: 'commit-no-coin'; readonly epoch: number; readonly deadlineS: number }
  /** Somebody doubts the proof; it must be on the chain by then. */
  | { readonly type: 'challenged'; readonly epoch: number; readonly deadlineS: number }
  /** It was not, and the stake may be gone. */
  | { readonly type: 'epoch-failed'; readonly epoch: number }

export type EpochKeeperDeps = {
  readonly lane: Pick<TransactionLane, 'send'>
  /** Wall clock. */
  readonly wallMs: () => number
  readonly chain: Pick<ChainView, 'head' | 'held'>
  readonly proofs: ProofsView
  readonly calls: Pick<ProofCalls, 'commit' | 'draw' | 'answer' | 'settle'>
  readonly prover: ServiceProver
  /** Who sends what there is no coin for. */
  readonly redeemers?: Pick<Redeemers, 'handOverProof'> | undefined
  /** The most that each of them gets of what was held back, the token's smallest part. */
  readonly maxFee: bigint
  /** True for a redeemer: those without coin can draw no beacon either. Draws where anybody has committed. */
  readonly drawsForAll: boolean
  /** Our address as a provider, 20 bytes. */
  readonly provider: Uint8Array
  readonly epochS: number
  /** In [0, 1). */
  readonly random: () => number
  readonly onAlert: (alert: ServiceAlert) => void
}

/** Keeps a provider's commitments. */
export interface EpochKeeper {
  /** Does what is due; nothing while the chain cannot be asked. @throws what the lane's store throws */
  look(signal: AbortSignal): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Nodes spread their draws over so much of a round: seldom more than one pays. */
const DRAW_SPREAD_S = 60
/** So long after an epoch's end the last receipt that was being checked is on the disk; in a local network a quarter of the commit window. */
const GRACE_S = 60
/** What could not be hashed or proved is tried again after this: the program may be there then. */
const RETRY_S = 600
/** A settle has no deadline of its own: so long a redeemer keeps it. */
const SETTLE_ORDER_S = 72 * 3600
/** Creates a keeper that has done nothing yet. */
export function createEpochKeeper(deps: EpochKeeperDeps): EpochKeeper {
  return new Keeper(deps)
}

class Keeper implements EpochKeeper {
  readonly #deps: EpochKeeperDeps
  /** Epochs that need no more of us. */
  readonly #done = new Set<number>()
  /** Of open epochs. */
  readonly #commitments = new Map<number, ServiceCommitment | 'nothing'>()
  readonly #answers = new Map<number, ServiceAnswer>()
  /** When the work for it failed, by the chain's clock. */
  readonly #failedS = new Map<number, number>()
  /** Whose beacon is on the chain. */
  readonly #drawn = new Set<number>()
  /** Whether anybody committed; asked when no commitment can come any more. */
  readonly #wanted = new Map<number, boolean>()
  /** What the operator was told of open epochs. */
  readonly #told = new Set<string>()
  /** Where in a round we draw. */
  readonly #drawDelayS: number
  readonly #left: LeftSteps
  /** What is hashed or proved now, one of each at a time: no look waits for it, and no commitment for the proof of another epoch. */
  readonly #busy = new Set<Work>()

  constructor(deps: EpochKeeperDeps) {
    this.#deps = deps
    this.#left = createLeftSteps(deps.redeemers)
    this.#drawDelayS = deps.random() * DRAW_SPREAD_S
  }

  async look(signal: AbortSignal): Promise<void> {
    const { chain, proofs, epochS } = this.#deps
    try {
      const { timeS } = await chain.head(signal)
      const times = await proofs.times(signal)
      const newest = Math.floor(timeS / epochS) - 1
      const oldest = Math.max(0, newest - openEpochs(times, epochS))
      this.#forgetBefore(oldest)
      for (let epoch = newest; epoch >= oldest; epoch--) {
        if (this.#deps.drawsForAll)
          await this.#unlessLater(this.#drawForAll(epoch, { times, timeS }, signal))
        if (this.#done.has(epoch)) continue
        await this.#unlessLater(this.#lookAt(epoch, { times, timeS }, signal))
      }
    } catch (error) {
      // Away: the same at a later look.
      if (!isPassing(error)) throw error
    }
  }

  /** Gas is dear or there is none, or somebody was faster: other epochs do not wait for that. @throws all else */
  async #unlessLater(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (isChainAway(error) || !isPassing(error)) throw error
    }
  }

  #forgetBefore(epoch: number): void {
    const ours = [this.#commitments, this.#answers, this.#failedS, this.#done]
    for (const kept of [...ours, this.#drawn, this.#wanted])
      for (const each of kept.keys()) if (each < epoch) kept.delete(each)
    for (const name of this.#told) if (Number(name.split(' ')[1]) < epoch) this.#told.delete(name)
    this.#left.forgetBefore(epoch)
  }

  async #lookAt(epoch: number, now: Now, signal: AbortSignal): Promise<void> {
    const { proofs, provider } = this.#deps
    const status = await proofs.commitment(provider, epoch, signal)
    switch (status.state) {
      case 'none':
        return await this.#commit(epoch, now, signal)
      case 'committed':
        return await this.#stand(epoch, status, now, signal)
      case 'challenged':
        return await this.#answer(epoch, status, now, signal)
      case 'proven':
        return await this.#settle(epoch, now, signal)
      case 'settled':
        return void this.#done.add(epoch)
      case 'failed':
        this.#done.add(epoch)
        return this.#tell({ type: 'epoch-failed', epoch })
    }
  }

  async #commit(epoch: number, { times, timeS }: Now, signal: AbortSignal): Promise<void> {
    const { prover, calls, provider, epochS, wallMs } = this.#deps
    const known = this.#commitments.get(epoch)
    if (known === 'nothing') return void this.#done.add(epoch)
    const endS = (epoch + 1) * epochS
    if (timeS >= endS + times.commitWindowS) return await this.#giveUp(epoch, timeS, signal)
    const readyS = endS + Math.min(GRACE_S, times.commitWindowS / 4)
    if (timeS < readyS || wallMs() / 1000 < readyS) return
    if (known) {
      const deadlineS = endS + times.commitWindowS
      const call = calls.commit(provider, epoch, known)
      await this.#send('commit', epoch, call, signal, async () => {
        const { due } = await this.#deps.chain.held(provider, signal)
        // Nothing waits for it, and there is nothing to pay for it with.
        if (due === 0n) return
        const step = { entries: { kind: REDEEM_KIND.COMMIT, epoch, ...known } } as const
        const fees = { due, most: this.#deps.maxFee }
        if (!(await this.#left.commit(step, fees, { timeS, deadlineS }, signal)))
          this.#tell({ type: 'commit-no-coin', epoch, deadlineS })
      })
    } else
      this.#work('hash', { epoch, timeS }, signal, async () => {
        this.#commitments.set(epoch, (await prover.commitment(epoch, signal)) ?? 'nothing')
      })
  }

  /** The commit window has passed. */
  async #giveUp(epoch: number, timeS: number, signal: AbortSignal): Promise<void> {
    const { chain, provider, epochS } = this.#deps
    const { due } = await chain.held(provider, signal)
    this.#done.add(epoch)
    const isLast = epoch === Math.floor(timeS / epochS) - 1
    if (isLast && due > 0n) this.#tell({ type: 'epoch-lost', epoch, held: due })
  }

  /** Until challenges are over: draws, and has the proof ready. */
  async #stand(
    epoch: number,
    { root }: CommitmentStatus,
    { times, timeS }: Now,
    signal: AbortSignal,
  ): Promise<void> {
    const { proofs, epochS } = this.#deps
    const { lastS } = roundsOf(epoch, epochS, times)
    if (timeS >= lastS + times.challengeWindowS)
      return await this.#settle(epoch, { times, timeS }, signal)
    const beacon = await proofs.beacon(epoch, signal)
    if (beacon !== undefined) return void this.#proofOf(epoch, { root, beacon }, timeS, signal)
    await this.#draw(epoch, { times, timeS }, signal)
  }

  /** For whoever committed to this epoch, if anybody did: a beacon is of use to nobody else. */
  async #drawForAll(epoch: number, now: Now, signal: AbortSignal): Promise<void> {
    const { proofs, epochS } = this.#deps
    if (this.#dueRoundS(epoch, now) === undefined) return
    const fromS = (epoch + 1) * epochS
    const window = { epoch, fromS, toS: fromS + now.times.commitWindowS }
    const isWanted = this.#wanted.get(epoch) ?? (await proofs.hasCommitments(window, signal))
    this.#wanted.set(epoch, isWanted)
    if (isWanted) await this.#draw(epoch, now, signal)
  }

  /** Writes the beacon down, in its time and where nobody has. */
  async #draw(epoch: number, now: Now, signal: AbortSignal): Promise<void> {
    const { proofs, calls } = this.#deps
    const roundS = this.#dueRoundS(epoch, now)
    if (roundS === undefined) return
    // It may have been drawn since somebody asked; what a reorganisation takes back is drawn at the next start.
    if ((await proofs.beacon(epoch, signal)) !== undefined) return void this.#drawn.add(epoch)
    const headers = await proofs.roundHeaders(roundS, signal)
    if (headers) await this.#send('draw', epoch, calls.draw(epoch, headers), signal)
  }

  /** When the round began in which it is our turn to draw; undefined where there is none now. */
  #dueRoundS(epoch: number, now: Now): number | undefined {
    if (this.#drawn.has(epoch)) return undefined
    return dueRoundS(epoch, this.#deps.epochS, now, this.#drawDelayS)
  }

  async #answer(
    epoch: number,
    { challengedAtS, root }: CommitmentStatus,
    { times, timeS }: Now,
    signal: AbortSignal,
  ): Promise<void> {
    const { proofs, calls, provider } = this.#deps
    const deadlineS = challengedAtS + times.answerWindowS
    this.#tell({ type: 'challenged', epoch, deadlineS })
    const beacon = await proofs.beacon(epoch, signal)
    if (beacon === undefined || timeS >= deadlineS) return
    const answer = this.#proofOf(epoch, { root, beacon }, timeS, signal)
    if (!answer) return
    try {
      const call = calls.answer(provider, epoch, answer)
      await this.#send('answer', epoch, call, signal, async () => {
        const step = { entries: { kind: REDEEM_KIND.ANSWER, epoch, ...answer } }
        await this.#left.leave(step, { timeS, deadlineS }, signal)
      })
    } catch (error) {
      // The contract takes no such proof: of an opening, since the root was compared.
      if (isBywayError(error) && error.code === 'CHAIN_REVERTED')
        this.#tell({ type: 'proof-missing', epoch, code: error.code })
      throw error
    }
  }

  async #settle(epoch: number, { timeS }: Now, signal: AbortSignal): Promise<void> {
    const { calls, provider } = this.#deps
    await this.#send('settle', epoch, calls.settle(provider, epoch), signal, async () => {
      const step = { entries: { kind: REDEEM_KIND.SETTLE, epoch } }
      await this.#left.leave(step, { timeS, deadlineS: timeS + SETTLE_ORDER_S }, signal)
    })
  }

  /** The proof, or undefined while it is made. */
  #proofOf(
    epoch: number,
    drawn: DrawnCommitment,
    timeS: number,
    signal: AbortSignal,
  ): ServiceAnswer | undefined {
    const made = this.#answers.get(epoch)
    if (!made)
      this.#work('prove', { epoch, timeS }, signal, async () => {
        this.#answers.set(epoch, await this.#deps.prover.proof(epoch, drawn, signal))
      })
    return made
  }

  #work(
    work: Work,
    { epoch, timeS }: { readonly epoch: number; readonly timeS: number },
    signal: AbortSignal,
    act: () => Promise<void>,
  ): void {
    const isTooSoon = timeS < (this.#failedS.get(epoch) ?? -Infinity) + RETRY_S
    if (this.#busy.has(work) || isTooSoon) return
    this.#busy.add(work)
    act()
      .catch((error: unknown) => {
        if (signal.aborted) return
        this.#failedS.set(epoch, timeS)
        const code = isBywayError(error) ? error.code : 'unknown'
        this.#tell({ type: 'proof-missing', epoch, code })
      })
      .finally(() => this.#busy.delete(work))
  }

  /** Once. */
  #tell(alert: ServiceAlert): void {
    const name = `${alert.type} ${alert.epoch}`
    if (this.#told.has(name)) return
    this.#told.add(name)
    this.#deps.onAlert(alert)
  }

  /** Sends it, or where there is no coin for that, or the signer signs nothing now, does the other thing. @throws what the lane throws */
  async #send(
    what: string,
    epoch: number,
    call: Omit<LaneCall, 'key'>,
    signal: AbortSignal,
    withoutCoin?: () => Promise<void>,
  ): Promise<void> {
    try {
      await sendUnfollowed(this.#deps.lane, { ...call, key: `${what}:${epoch}` }, signal)
    } catch (error) {
      if (!withoutCoin || !isBywayError(error) || !NOT_BY_US.has(error.code)) throw error
      await withoutCoin()
    }
  }
}

type Work = 'hash' | 'prove'

const NOT_BY_US: ReadonlySet<string> = new Set(['CHAIN_NO_COIN', 'CHAIN_UNSIGNED'])

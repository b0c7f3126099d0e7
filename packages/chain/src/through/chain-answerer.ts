/**
 * What a node tells clients of the chain (SPEC §15.9), at little cost to its own endpoints: questions for the same thing share one look, what a block's hash fixes is kept, the
 * rest is kept for as long as the newest block stays, and beyond a rate nothing is asked. Whose question it is plays no part; how much one link may ask is its caller's.
 * @module
 */
import type { PaymentParameters } from '@byway/protocol/directory'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  chainPageLength,
  type ChainQuestion,
  type ChainVerdict,
  encodeChainLogs,
  encodePayMessage,
  MAX_CHAIN_ANSWER_BYTES,
  PAY,
} from '@byway/protocol/wire'
import type { ChainReader } from '../chain-reader.ts'
import { findFact, verdictOnly, type Fact, type FactDeps, type LogSet } from './find-fact.ts'
import { networkContracts, type ContractPlaces } from './network-contracts.ts'

/** What is told; only OK and REVERTED have bytes, at most 48 000. */
export type ToldChain = { readonly verdict: ChainVerdict; readonly body: Uint8Array }

export interface ChainAnswerer {
  /** Never rejects: a chain that cannot be asked, and the signal's end, are verdicts. */
  answer(question: ChainQuestion, signal: AbortSignal): Promise<ToldChain>
}

export type ChainAnswererOptions = {
  readonly reader: ChainReader
  readonly payment: ContractPlaces & Pick<PaymentParameters, 'chainId'>
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

// Local limits (tunable): docs/LIMITS.md.
/** Of all that is kept. Some hundred clients ask the same of the same block. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024
/** What an entry costs besides its bytes. */
const ENTRY_BYTES = 512
/** Looks at the chain for clients, in all. */
const LOOKS_PER_S = 20
const LOOK_BURST = 200
const MAX_UNDER_WAY = 32

/** Creates one that has asked nothing yet. */
export function createChainAnswerer(options: ChainAnswererOptions): ChainAnswerer {
  return new Answerer(options)
}

type Kept = { readonly fact: Fact; readonly bytes: number }

class Answerer implements ChainAnswerer {
  readonly #deps: FactDeps
  readonly #nowMs: () => number
  /** Least recently used first. */
  readonly #kept = new Map<string, Kept>()
  readonly #underWay = new Map<string, Promise<Fact>>()
  #keptBytes = 0
  #once = 0
  #looks = LOOK_BURST
  #looksAtMs: number

  constructor({ reader, payment, nowMs }: ChainAnswererOptions) {
    this.#deps = { reader, contracts: networkContracts(payment), chainId: payment.chainId }
    this.#nowMs = nowMs
    this.#looksAtMs = nowMs()
  }

  async answer(question: ChainQuestion, signal: AbortSignal): Promise<ToldChain> {
    try {
      return tell(await this.#fact(question, signal), question)
    } catch {
      return tell(verdictOnly(CHAIN_VERDICT.CHAIN_AWAY), question)
    }
  }

  async #fact(question: ChainQuestion, signal: AbortSignal): Promise<Fact> {
    const key = await this.#keyOf(question, signal)
    const kept = key === undefined ? undefined : this.#kept.get(key)
    if (key === undefined || !kept) return await this.#look(key, question, signal)
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    return kept.fact
  }

  /** What is asked; of all but what a hash fixes, as of the newest block. Undefined for what must be done each time. */
  async #keyOf(question: ChainQuestion, signal: AbortSignal): Promise<string | undefined> {
    if (question.kind === CHAIN_QUESTION.SEND || question.kind === CHAIN_QUESTION.GAS) {
      return undefined
    }
    const whole = 'skip' in question ? { ...question, skip: 0 } : question
    const bytes = encodePayMessage({ kind: PAY.CHAIN, request: 0, question: whole })
    const text = Buffer.from(bytes).toString('latin1')
    if (FIXED.has(question.kind)) return text
    return `${(await this.#deps.reader.head(signal)).hash} ${text}`
  }

  async #look(
    key: string | undefined,
    question: ChainQuestion,
    signal: AbortSignal,
  ): Promise<Fact> {
    const shared = key === undefined ? undefined : this.#underWay.get(key)
    if (shared) return await shared
    if (this.#underWay.size >= MAX_UNDER_WAY || !this.#mayLook()) {
      return verdictOnly(CHAIN_VERDICT.TRY_LATER)
    }
    const name = key ?? `once ${++this.#once}`
    const looking = findFact(this.#deps, question, signal)
    this.#underWay.set(name, looking)
    try {
      const fact = await looking
      if (key !== undefined) this.#keep(key, fact)
      return fact
    } finally {
      this.#underWay.delete(name)
    }
  }

  #keep(key: string, fact: Fact): void {
    const isPassing = fact.type === 'said' && PASSING.has(fact.verdict)
    const bytes = ENTRY_BYTES + key.length + (fact.type === 'logs' ? fact.bytes : fact.body.length)
    if (isPassing || this.#kept.has(key)) return
    this.#kept.set(key, { fact, bytes })
    this.#keptBytes += bytes
    for (const [oldest, entry] of this.#kept) {
      if (this.#keptBytes <= MAX_KEPT_BYTES) return
      this.#kept.delete(oldest)
      this.#keptBytes -= entry.bytes
    }
  }

  #mayLook(): boolean {
    const nowMs = this.#nowMs()
    const gained = ((nowMs - this.#looksAtMs) / 1000) * LOOKS_PER_S
    this.#looks = Math.min(LOOK_BURST, this.#looks + gained)
    this.#looksAtMs = nowMs
    if (this.#looks < 1) return false
    this.#looks--
    return true
  }
}

/** The hash of a block in the question says what the answer is, for good. */
const FIXED: ReadonlySet<number> = new Set([
  CHAIN_QUESTION.LOGS_OF,
  CHAIN_QUESTION.CALL,
  CHAIN_QUESTION.BALANCE,
  CHAIN_QUESTION.NONCE,
])

/** Of this moment: not kept. */
const PASSING: ReadonlySet<ChainVerdict> = new Set([
  CHAIN_VERDICT.TRY_LATER,
  CHAIN_VERDICT.CHAIN_AWAY,
])

function tell(fact: Fact, question: ChainQuestion): ToldChain {
  if (fact.type === 'logs') return tellLogs(fact, 'skip' in question ? question.skip : 0)
  const isTooLarge = fact.body.length > MAX_CHAIN_ANSWER_BYTES
  return isTooLarge ? TOO_LARGE : { verdict: fact.verdict, body: fact.body }
}

/** SPEC §15.9: a page. */
function tellLogs({ logs, set }: LogSet, skip: number): ToldChain {
  const page = logs.slice(skip, skip + chainPageLength(logs, skip))
  if (page.length === 0 && skip < logs.length) return TOO_LARGE
  const body = encodeChainLogs({ total: logs.length, set, logs: page })
  return { verdict: CHAIN_VERDICT.OK, body }
}

const TOO_LARGE: ToldChain = { verdict: CHAIN_VERDICT.TOO_LARGE, body: new Uint8Array(0) }

/**
 * Who may connect, and how often (SECURITY limits of a listener): links, half-open connections and connects per address, and in all.
 * Counts and decides; closes nothing itself.
 * @module
 */
import { addressScopes } from './address-scopes.ts'

/** Limits of one listener. */
export type AdmissionLimits = {
  /** Links and half-open connections of one address. */
  readonly linksPerAddress: number
  /** Connections of one address whose greetings are not done. */
  readonly halfOpenPerAddress: number
  readonly halfOpen: number
  readonly links: number
  readonly connectsPerS: number
  readonly connectBurst: number
  /** How long an address stays out that connects too often; times 1 to 1.5. */
  readonly penaltyMs: number
  /** Addresses remembered; the one that was quiet longest is forgotten first. */
  readonly addresses: number
}

/** Why a connection was refused; `full` is the listener's own limit of half-open ones, not the address's. */
export type Refusal = 'rate' | 'penalty' | 'links' | 'half-open' | 'full' | 'address'

/** One admitted connection. */
export interface Admitted {
  /** Its greetings are done: it is a link now. */
  established(): void
  /** It is closed. */
  release(): void
}

/** Admission of one listener. */
export interface Admission {
  readonly halfOpen: number
  readonly links: number
  admit(address: string, nowMs: number): Admitted | Refusal
}

/** Creates the books of one listener. @param random - uniform in [0, 1) */
export function createAdmission(limits: AdmissionLimits, random: () => number): Admission {
  return new Books(limits, random)
}

/** What is known of one address or prefix. */
type Account = {
  links: number
  halfOpen: number
  tokens: number
  atMs: number
  outUntilMs: number
}

class Books implements Admission {
  halfOpen = 0
  links = 0
  readonly #limits: AdmissionLimits
  readonly #random: () => number
  readonly #accounts = new Map<string, Account>()

  constructor(limits: AdmissionLimits, random: () => number) {
    this.#limits = limits
    this.#random = random
  }

  admit(address: string, nowMs: number): Admitted | Refusal {
    const scopes = addressScopes(address)
    if (scopes.length === 0) return 'address'
    const accounts = scopes.map(({ key, factor }) => ({
      account: this.#account(key, nowMs),
      factor,
    }))
    let refusal: Refusal | undefined
    for (const { account, factor } of accounts) refusal ??= this.#judge(account, factor, nowMs)
    if (refusal) return refusal
    if (this.links + this.halfOpen >= this.#limits.links) return 'links'
    if (this.halfOpen >= this.#limits.halfOpen) return 'full'
    return this.#enter(accounts.map(({ account }) => account))
  }

  #judge(account: Account, factor: number, nowMs: number): Refusal | undefined {
    const limits = this.#limits
    if (nowMs < account.outUntilMs) return 'penalty'
    const burst = limits.connectBurst * factor
    const earned = ((nowMs - account.atMs) / 1000) * limits.connectsPerS * factor
    account.tokens = Math.min(burst, account.tokens + earned)
    account.atMs = nowMs
    if (account.tokens < 1) {
      account.outUntilMs = nowMs + limits.penaltyMs * (1 + this.#random() / 2)
      return 'rate'
    }
    account.tokens--
    if (account.links + account.halfOpen >= limits.linksPerAddress * factor) return 'links'
    if (account.halfOpen >= limits.halfOpenPerAddress * factor) return 'half-open'
    return undefined
  }

  #enter(accounts: readonly Account[]): Admitted {
    let state: 'half-open' | 'link' | 'gone' = 'half-open'
    this.halfOpen++
    for (const account of accounts) account.halfOpen++
    const leaveHalfOpen = () => {
      this.halfOpen--
      for (const account of accounts) account.halfOpen--
    }
    return {
      established: () => {
        if (state !== 'half-open') return
        state = 'link'
        leaveHalfOpen()
        this.links++
        for (const account of accounts) account.links++
      },
      release: () => {
        if (state === 'half-open') leaveHalfOpen()
        if (state === 'link') {
          this.links--
          for (const account of accounts) account.links--
        }
        state = 'gone'
      },
    }
  }

  #account(key: string, nowMs: number): Account {
    const known = this.#accounts.get(key)
    if (known) this.#accounts.delete(key)
    else if (this.#accounts.size >= this.#limits.addresses) this.#forgetOne()
    const account = known ?? {
      links: 0,
      halfOpen: 0,
      tokens: Number.POSITIVE_INFINITY,
      atMs: nowMs,
      outUntilMs: 0,
    }
    // Deleting and setting moves it to the end: a Map iterates oldest first.
    this.#accounts.set(key, account)
    return account
  }

  /** Forgets the quietest address without connections; of a few only, so that the search is short. */
  #forgetOne(): void {
    let seen = 0
    for (const [key, account] of this.#accounts) {
      if (account.links + account.halfOpen === 0 || ++seen >= FORGET_SEARCH) {
        this.#accounts.delete(key)
        return
      }
    }
  }
}

const FORGET_SEARCH = 64

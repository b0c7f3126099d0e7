/**
 * Watches the coin of the account that pays a node's gas (DESIGN §7.4): who has some is told before it is gone, who has none is told where others rely on it.
 * @module
 */
import type { ChainView } from '@byway/chain'
import { isBywayError } from '@byway/protocol/base'

/** How far the coin goes. `none` with `wins` 0. */
export type GasState = {
  readonly level: 'enough' | 'low' | 'none'
  /** Wins whose lock and bind it pays for at the present price, each sent alone. */
  readonly wins: number
}

export type GasWatchDeps = {
  readonly chain: Pick<ChainView, 'gasBalance'>
  /** Of a unit of gas in the newest block, wei. */
  readonly baseFee: (signal: AbortSignal) => Promise<bigint>
  /** 20 bytes. */
  readonly account: Uint8Array
  /** Told when the level changes. Must not throw. */
  readonly onChange: (state: GasState) => void
  /** Monotonic. */
  readonly nowMs: () => number
}

/** The watch. */
export interface GasWatch {
  /** Of the last look. */
  readonly state: GasState | undefined
  /** Looks when it is time to; a chain that cannot be asked changes nothing. */
  look(signal: AbortSignal): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Coin goes win by win. */
const GAS_LOOK_MS = 60_000
/** A week of a small home's wins, and enough time to send some more. */
const LOW_WINS = 20
/** A lock and a bind, each alone (PAYMENTS §5.4), rounded up. */
const WIN_GAS = 365_000n

/** Creates a watch that has not looked yet. */
export function createGasWatch(deps: GasWatchDeps): GasWatch {
  const { chain, baseFee, account, onChange, nowMs } = deps
  let state: GasState | undefined
  let dueMs = Number.NEGATIVE_INFINITY
  return {
    get state() {
      return state
    },
    async look(signal) {
      if (nowMs() < dueMs) return
      dueMs = nowMs() + GAS_LOOK_MS
      try {
        const [coin, price] = await Promise.all([
          chain.gasBalance(account, signal),
          baseFee(signal),
        ])
        const found = stateOf(coin, price)
        const isNews = found.level !== state?.level
        state = found
        if (isNews) onChange(found)
      } catch (error) {
        if (!isBywayError(error) || error.kind !== 'chain') throw error
      }
    },
  }
}

function stateOf(coin: bigint, price: bigint): GasState {
  const wins = Number(coin / (WIN_GAS * (price > 0n ? price : 1n)))
  if (wins === 0) return { level: 'none', wins }
  return { level: wins < LOW_WINS ? 'low' : 'enough', wins }
}

/**
 * Balances of accounts.
 * @module
 */
import { COMMODITIES, type Account, type Commodity, type Line } from './accounts.ts'

/** An account and what is in it. */
export type Balance = Line

/** The balances of one commodity. In sound books `sum` is 0. */
export type CommodityBalances = {
  readonly commodity: Commodity
  readonly sum: bigint
  readonly accounts: readonly Balance[]
}

/** A set of accounts. */
export class Balances {
  readonly #accounts = new Map<string, Line>()

  /** Adds the lines of an entry. */
  add(lines: readonly Line[]): void {
    for (const line of lines) {
      const name = keyOf(line)
      const before = this.#accounts.get(name)?.amount ?? 0n
      this.#accounts.set(name, { ...line, amount: before + line.amount })
    }
  }

  /** What is in one account. */
  of(account: Account): bigint {
    return this.#accounts.get(keyOf(account))?.amount ?? 0n
  }

  /** What is in the accounts of a name, of all hops together. */
  total(commodity: Commodity, name: string): bigint {
    let total = 0n
    for (const account of this.#accounts.values()) {
      if (account.commodity === commodity && account.name === name) total += account.amount
    }
    return total
  }

  /** The hops that have accounts, in the order of their first entry. */
  hops(): readonly string[] {
    const hops = new Set<string>()
    for (const { hop } of this.#accounts.values()) if (hop !== undefined) hops.add(hop)
    return [...hops]
  }

  /** All accounts that were ever moved, by commodity, with the sum of each. */
  trial(): readonly CommodityBalances[] {
    return COMMODITIES.map((commodity) => {
      const accounts = [...this.#accounts.values()].filter((line) => line.commodity === commodity)
      return { commodity, accounts, sum: accounts.reduce((sum, { amount }) => sum + amount, 0n) }
    })
  }
}

/** True when the lines of every commodity add up to zero. */
export function isBalanced(lines: readonly Line[]): boolean {
  return COMMODITIES.every(
    (commodity) =>
      lines.reduce((sum, line) => (line.commodity === commodity ? sum + line.amount : sum), 0n) ===
      0n,
  )
}

function keyOf({ commodity, name, hop = '' }: Account): string {
  return `${commodity}/${name}/${hop}`
}

/** The text of network files over contracts that are nowhere. */

/** Addresses in them, without `0x`. */
export const PLACES: Readonly<Record<'pool' | 'registry' | 'token' | 'authoriser', string>> = {
  pool: 'a1'.repeat(20),
  registry: 'b2'.repeat(20),
  token: 'c3'.repeat(20),
  authoriser: 'D4'.repeat(20),
}

type Values = Readonly<Record<string, number | string | readonly string[]>>

const USUAL: Values = {
  chain_id: 31_337,
  rpc: ['https://one.example/key', 'https://two.example'],
  pool: `0x${PLACES.pool}`,
  registry: `0x${PLACES.registry}`,
  token: `0x${PLACES.token}`,
  authoriser: `0x${PLACES.authoriser}`,
  win_value: 100_000,
  wins_per_slot: 2,
  bond: 50_000,
  unit: 10_000,
  token_symbol: 'TEST',
  token_decimals: 3,
  issue_delay: 15,
  root_interval: 3600,
  root_max_age: 86_400,
  lock: 3600,
  refund_delay: 43_200,
  close_delay: 259_200,
  confirmations: 12,
}

/** A `[payment]` table with these lines in place of the usual ones, or besides. */
export function paymentTable(changes: Values = {}): string {
  const lines = Object.entries({ ...USUAL, ...changes }).map(
    ([key, value]) => `${key} = ${JSON.stringify(value)}\n`,
  )
  return `[payment]\n${lines.join('')}`
}

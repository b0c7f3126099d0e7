/**
 * Counts what was signed away for gas, at the highest price that each signature allows, and stops at the day's cap. On disk, so that starting the signer again does not start the day
 * again, and shared by all signers of one state folder. A nonce can be mined once: its dearest signature counts.
 * @module
 */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { PayingAccount } from '../purse-types.ts'

export const METER_FILE = 'signer.db'

export interface GasMeter extends Disposable {
  /** Counts a signature before it is made; false, and nothing counted, when it would pass the cap. Durable when it returns true. */
  charge(account: PayingAccount, nonce: number, wei: bigint, nowMs: number): boolean
}

const DAY_MS = 86_400_000
/** Longer than any transaction waits. */
const KEPT_DAYS = 30
/** Another signer of the folder holds the file for a write only. */
const BUSY_TIMEOUT_MS = 5000

/** Opens the meter of a state folder, or one in memory for `:memory:`. @throws the system's or the database's error */
export function openGasMeter(home: string, capWei: bigint): GasMeter {
  const path = home === IN_MEMORY ? home : join(home, METER_FILE)
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  if (path !== IN_MEMORY) chmodSync(path, 0o600)
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;')
  database.exec(
    'CREATE TABLE IF NOT EXISTS gas (account TEXT, nonce INTEGER, day INTEGER, wei TEXT, PRIMARY KEY (account, nonce)) STRICT',
  )
  const others = database.prepare(
    'SELECT wei FROM gas WHERE account = ? AND day = ? AND nonce <> ?',
  )
  const own = database.prepare('SELECT wei FROM gas WHERE account = ? AND nonce = ?')
  const write = database.prepare('INSERT OR REPLACE INTO gas VALUES (?, ?, ?, ?)')
  const forget = database.prepare('DELETE FROM gas WHERE day < ?')
  const charge = (account: PayingAccount, nonce: number, wei: bigint, day: number): boolean => {
    const before = weiOf(own.get(account, nonce))
    const dearest = wei > before ? wei : before
    const rest = others.all(account, day, nonce).reduce((sum, row) => sum + weiOf(row), 0n)
    if (rest + dearest > capWei) return false
    forget.run(day - KEPT_DAYS)
    write.run(account, nonce, day, String(dearest))
    return true
  }
  return {
    charge(account, nonce, wei, nowMs) {
      database.exec('BEGIN IMMEDIATE')
      try {
        const isWithin = charge(account, nonce, wei, Math.floor(nowMs / DAY_MS))
        database.exec('COMMIT')
        return isWithin
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
    [Symbol.dispose]: () => database.close(),
  }
}

const IN_MEMORY = ':memory:'

function weiOf(row: Record<string, unknown> | undefined): bigint {
  const wei = row?.['wei']
  return typeof wei === 'string' ? BigInt(wei) : 0n
}

/** The store of money records in a state folder, and the key that authenticates its rows. */
import { randomBytes } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '@byway/home'
import { fromHex, toHex } from '@byway/protocol/base'
import type { LedgerSide } from '@byway/protocol/ledger'
import { openStore, type Store, type StoreHealth } from '@byway/store'
import { forgetPast, hasNotedRecords, noteRecords } from '@byway/purse'
import { runError } from './run-errors.ts'

const KEY_BYTES = 32

/** Whose records: those of an engine, the transactions of commands, which work while an engine runs, or a node's exit record, which is no money and may grow. */
export type StoreName = LedgerSide | 'wallet' | 'exits'

/**
 * Opens a store of a state folder; makes it, and its key, where there is none.
 * @throws RUN_STORE_KEY when the key's file holds no key, and what `openStore` and the home throw
 */
export async function openOwnStore(
  home: string,
  side: StoreName,
  onHealth?: (health: StoreHealth) => void,
): Promise<Store> {
  const key = await storeKey(home, side)
  const store = await openStore({
    folder: home,
    name: side,
    key,
    ...(onHealth ? { onHealth } : {}),
  })
  if (side === 'client') await noteRecords(home)
  return store
}

/**
 * Finds out whether a client's records were there and are gone: then the purse forgets what it knew of its slots. Call it before the purse is opened.
 * @throws PURSE_DAMAGED, HOME_FILE_OPEN
 */
export async function forgetIfLost(home: string): Promise<boolean> {
  const isLost = !(await hasOwnStore(home, 'client')) && (await hasNotedRecords(home))
  if (isLost) await forgetPast(home)
  return isLost
}

/** True when a node, a client or its commands have kept records in the state folder. */
export async function hasOwnStore(home: string, side: StoreName): Promise<boolean> {
  try {
    await access(join(home, `${side}.db`))
    return true
  } catch {
    return false
  }
}

/** Records are here, but not whole: from the next start the purse does not vouch for what it had until now. */
export async function forgetSlots(home: string): Promise<void> {
  await forgetPast(home)
  await noteRecords(home)
}

async function storeKey(home: string, side: StoreName): Promise<Uint8Array> {
  const path = join(home, `${side}-store.key`)
  const text = await readPrivateFile(path)
  if (text === undefined) {
    const fresh = new Uint8Array(randomBytes(KEY_BYTES))
    await writePrivateFile(path, `${toHex(fresh)}\n`)
    return fresh
  }
  const key = fromHex(text.trim())
  if (key?.length !== KEY_BYTES) throw runError('RUN_STORE_KEY', { side })
  return key
}

/** Opens the purse file of a state folder to a ring of keys, and checks that what the file says in the clear belongs to them. */
import { equalBytes } from '@byway/protocol/base'
import { deriveSecret } from './derive.ts'
import { purseError } from './errors.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { isCheap, unsealKeystore } from './keystore.ts'
import { isKey } from './keys.ts'
import { readPurseFile, type PurseFile } from './purse-file.ts'
import type { PurseAccounts } from './purse-types.ts'
import { openVouchers } from './sealed-vouchers.ts'

/** How a purse is opened. */
export type UnlockOptions = {
  /** @default the one of purses in a local network */
  readonly passphrase?: string | undefined
  /** True in a network on one machine: only there a cheap keystore is taken. */
  readonly isLocal?: boolean | undefined
}

export type Unlocked = {
  readonly ring: KeyRing
  readonly accounts: PurseAccounts
  readonly file: PurseFile
}

/** No secret: purses in a local network hold nothing. */
export const LOCAL_PASSPHRASE = 'byway local network'

/**
 * Opens the purse of a state folder; takes about 0.7 s and 256 MiB with a keystore of standard cost.
 * @throws PURSE_MISSING, PURSE_DAMAGED, PURSE_KEYSTORE_COST, PURSE_KEYSTORE_WEAK, PURSE_PASSPHRASE_WRONG, HOME_FILE_OPEN
 */
export async function unlock(home: string, options: UnlockOptions): Promise<Unlocked> {
  const file = await readPurseFile(home)
  if (!options.isLocal && isCheap(file.keystore)) throw purseError('PURSE_KEYSTORE_WEAK', {})
  const fundsKey = await unsealKeystore(file.keystore, options.passphrase ?? LOCAL_PASSPHRASE)
  if (!isKey(fundsKey)) throw purseError('PURSE_DAMAGED', { field: 'ciphertext' })
  const ring = createKeyRing(fundsKey, redeemedIn(file, fundsKey))
  const accounts = {
    funds: ring.addressOf({ name: 'funds' }),
    provider: ring.addressOf({ name: 'provider' }),
    owner: file.owner,
  }
  if (equalBytes(accounts.provider, file.provider)) return { ring, accounts, file }
  ring.wipe()
  throw purseError('PURSE_DAMAGED', { field: 'provider' })
}

function redeemedIn({ vouchers }: PurseFile, fundsKey: Uint8Array): readonly Uint8Array[] {
  if (!vouchers) return []
  const fileKey = deriveSecret(fundsKey, 'files')
  try {
    return openVouchers(vouchers, fileKey)
  } finally {
    fileKey.fill(0)
  }
}

/** What changes or copies the purse of a state folder. Each writes the whole file anew, so that a crash leaves the old or the new one. */
import { open } from 'node:fs/promises'
import { addressOfKey, isKey } from './keys.ts'
import { checkPassphrase } from './create-purse.ts'
import { deriveOwnerKey, deriveSecret } from './derive.ts'
import { purseError } from './errors.ts'
import { sealKeystore, unsealKeystore, type KeystoreCost } from './keystore.ts'
import { formatPurseFile, readPurseFile, writePurseFile } from './purse-file.ts'
import { MAX_VOUCHERS, openVouchers, sealVouchers } from './sealed-vouchers.ts'
import { LOCAL_PASSPHRASE } from './unlock.ts'
import { formatVoucher, type VoucherNetwork } from './voucher.ts'

/**
 * Seals the purse with another passphrase. Copies made before still open with the old one.
 * @throws PURSE_MISSING, PURSE_PASSPHRASE_WRONG, PURSE_PASSPHRASE_WEAK
 */
export async function changePassphrase(
  home: string,
  change: {
    readonly old: string
    readonly fresh: string
    readonly cost?: KeystoreCost | undefined
  },
): Promise<void> {
  const { cost = 'standard' } = change
  checkPassphrase(change.fresh, cost)
  const file = await readPurseFile(home)
  const funds = await unsealKeystore(file.keystore, change.old)
  try {
    const address = addressOfKey(funds)
    const keystore = await sealKeystore(funds, change.fresh, { cost, address })
    await writePurseFile(home, { ...file, keystore })
  } finally {
    funds.fill(0)
  }
}

/**
 * Copies the purse to a new file (0600), after opening it: a copy that nobody can open is none.
 * @throws PURSE_MISSING, PURSE_PASSPHRASE_WRONG, and the system's error when the file exists
 */
export async function backUpPurse(home: string, path: string, passphrase: string): Promise<void> {
  const file = await readPurseFile(home)
  const funds = await unsealKeystore(file.keystore, passphrase)
  funds.fill(0)
  await writeNewPrivateFile(path, formatPurseFile(file))
}

/** Writes a file (0600) that must not be there yet, through to the disk. @throws the system's error, `EEXIST` among them */
export async function writeNewPrivateFile(path: string, text: string): Promise<void> {
  const target = await open(path, 'wx', 0o600)
  try {
    await target.writeFile(text)
    await target.sync()
  } finally {
    await target.close()
  }
}

/**
 * Keeps the owner key of a voucher in the purse. Keeping it twice is no error; says whether it was new.
 * @throws PURSE_MISSING, PURSE_PASSPHRASE_WRONG, PURSE_KEY, PURSE_VOUCHER when there are as many as a purse keeps
 */
export async function keepVoucher(
  home: string,
  key: Uint8Array,
  passphrase: string = LOCAL_PASSPHRASE,
): Promise<boolean> {
  if (!isKey(key)) throw purseError('PURSE_KEY', { key: 'voucher' })
  const file = await readPurseFile(home)
  const funds = await unsealKeystore(file.keystore, passphrase)
  const fileKey = deriveSecret(funds, 'files')
  funds.fill(0)
  const keys = file.vouchers ? openVouchers(file.vouchers, fileKey) : []
  try {
    if (keys.some((kept) => Buffer.compare(kept, key) === 0)) return false
    if (keys.length >= MAX_VOUCHERS) throw purseError('PURSE_VOUCHER', { problem: 'full' })
    const vouchers = sealVouchers([...keys, key], fileKey)
    await writePurseFile(home, { ...file, vouchers })
    return true
  } finally {
    fileKey.fill(0)
    for (const kept of keys) kept.fill(0)
  }
}

// Local limit (tunable): docs/LIMITS.md.
/** After a restore or lost records slots may still be on their way back to deposits of numbers that nobody remembers: so many are passed over, once. */
const FORGOTTEN_NUMBERS = 32

/**
 * Sets numbers of deposits aside, for good: no two deposits may have one, or the contract lets only one of them be used. Gives the first. The purse vouches for them, also where it did
 * not know its past before. Say so before anything names their owners.
 *
 * @param next - the first that has no leaf on the chain
 * @throws PURSE_MISSING
 */
export async function reserveDeposits(
  home: string,
  { next, count }: { readonly next: number; readonly count: number },
): Promise<number> {
  const file = await readPurseFile(home)
  const { depositsFrom } = file.past
  const isForgotten = depositsFrom === undefined
  const first = Math.max(isForgotten ? next + FORGOTTEN_NUMBERS : next, file.depositsNext ?? 0)
  const past = isForgotten ? { ...file.past, depositsFrom: first } : file.past
  await writePurseFile(home, { ...file, past, depositsNext: first + count })
  return first
}

/**
 * The voucher of the index-th deposit that was made to be given away. Whoever has the text can spend it.
 * @throws PURSE_MISSING, PURSE_PASSPHRASE_WRONG
 */
export async function voucherText(
  home: string,
  passphrase: string | undefined,
  { index, network }: { readonly index: number; readonly network: VoucherNetwork },
): Promise<string> {
  const { keystore } = await readPurseFile(home)
  const funds = await unsealKeystore(keystore, passphrase ?? LOCAL_PASSPHRASE)
  const key = deriveOwnerKey(funds, 'voucher', index)
  const text = formatVoucher(key, network)
  for (const secret of [funds, key]) secret.fill(0)
  return text
}

/**
 * Whether a client's records are still beside its purse (DESIGN §7.1): who has lost them no longer knows which slots were shown, and showing one twice can cost its bond. The purse
 * remembers that there were records, for a folder without them looks like one in which nothing ever happened.
 * @module
 */
import { hasPurse, readPurseFile, writePurseFile } from './purse-file.ts'
import { countSealed } from './sealed-vouchers.ts'

/** True when a client has kept records beside this purse. False without a purse. @throws PURSE_DAMAGED, HOME_FILE_OPEN */
export async function hasNotedRecords(home: string): Promise<boolean> {
  return (await hasPurse(home)) && (await readPurseFile(home)).hasRecords
}

/** Notes that a client keeps records beside this purse; call it when they are there, before a slot is shown. Nothing without a purse. */
export async function noteRecords(home: string): Promise<void> {
  if (!(await hasPurse(home))) return
  const file = await readPurseFile(home)
  if (!file.hasRecords) await writePurseFile(home, { ...file, hasRecords: true })
}

/**
 * The records are gone, or not whole: the purse vouches for no deposit and no voucher that it has until now, and for those that come as ever. Takes effect when it is opened
 * next.
 * @throws PURSE_MISSING, PURSE_DAMAGED
 */
export async function forgetPast(home: string): Promise<void> {
  const file = await readPurseFile(home)
  const past = { depositsFrom: undefined, redeemedFrom: countSealed(file.vouchers) }
  await writePurseFile(home, { ...file, past, hasRecords: false })
}

/** Keys: words, keystore, and the signer process. */
export { formatAddress, parseAddress } from './addresses.ts'
export { backUpPurse, changePassphrase, keepVoucher, writeNewPrivateFile } from './change-purse.ts'
export {
  checkPassphrase,
  createLocalPurse,
  createPurse,
  LEAST_PASSPHRASE_LETTERS,
  newWords,
  restoreKeystore,
  sealOwner,
} from './create-purse.ts'
export type { CreateOptions } from './create-purse.ts'
export { type PurseError, purseError } from './errors.ts'
export type { KeystoreCost } from './keystore.ts'
export { openPurse } from './open-purse.ts'
export { hasPurse, readPurseFile } from './purse-file.ts'
export type { PurseFile } from './purse-file.ts'
export type { DepositOwner, PlainStatement, Purse, PurseAccounts } from './purse-types.ts'
export type { UnlockOptions } from './unlock.ts'
export { FUNDS_PATH, OWNER_PATH, parseWords } from './words.ts'

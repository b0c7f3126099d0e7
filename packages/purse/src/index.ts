/** Keys: words, keystore, and the signer process. */
export { formatAddress, parseAddress } from './addresses.ts'
export {
  backUpPurse,
  changePassphrase,
  keepVoucher,
  reserveDeposits,
  voucherText,
  writeNewPrivateFile,
} from './change-purse.ts'
export {
  checkPassphrase,
  createLocalPurse,
  createPurse,
  LEAST_PASSPHRASE_LETTERS,
  newWords,
  openOwner,
  restoreKeystore,
  sealOwner,
} from './create-purse.ts'
export type { CreateOptions } from './create-purse.ts'
export { findDeposits } from './deposits.ts'
export type { DepositKind, FoundDeposit, FoundDeposits } from './deposits.ts'
export { type PurseError, purseError, type RefusalRule } from './errors.ts'
export type { KeystoreCost } from './keystore.ts'
export { forgetPast, hasNotedRecords, noteRecords } from './lost-records.ts'
export { openPurse } from './open-purse.ts'
export type { OpenOptions } from './open-purse.ts'
export { hasPurse, readPurseFile } from './purse-file.ts'
export type { PurseFile, PursePast } from './purse-file.ts'
export type {
  DepositOwner,
  PayingAccount,
  Purse,
  PurseAccounts,
  CommitmentStatement,
  RedeemTerms,
  RegistrationStatement,
} from './purse-types.ts'
export { DAY_GAS_WEI } from './signer/rules.ts'
export type { SignerRules } from './signer/rules.ts'
export { startSigner } from './signer/start-signer.ts'
export type { SignerOptions, SignerPurse } from './signer/start-signer.ts'
export type { UnlockOptions } from './unlock.ts'
export { formatVoucher, parseVoucher } from './voucher.ts'
export type { VoucherNetwork } from './voucher.ts'
export { FUNDS_PATH, OWNER_PATH, parseWords } from './words.ts'

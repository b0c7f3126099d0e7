export { assert, unreachable } from './assert.ts'
export type { Brand } from './brand.ts'
export {
  concatBytes,
  equalBytes,
  freeMemory,
  fromBase64url,
  fromHex,
  isAllZero,
  toBase64url,
  toHex,
  utf8Bytes,
  utf8Text,
} from './bytes.ts'
export { BywayError, errorBuilder, isBywayError } from './errors.ts'
export type { ErrorBuilder, ErrorContext, ErrorKind, ErrorOf, ErrorTable } from './errors.ts'
export { isLogWord, LOG_LEVELS, LOG_NUMBER_FIELDS, LOG_WORD_FIELDS, NO_LOG } from './logger.ts'
export type { LogFields, Logger, LogLevel, LogLine } from './logger.ts'

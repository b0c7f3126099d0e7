export { assert, unreachable } from './assert.ts'
export type { Brand } from './brand.ts'
export {
  concatBytes,
  equalBytes,
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

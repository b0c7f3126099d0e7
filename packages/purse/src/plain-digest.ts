/** The digest of the plain proof (SPEC §13.3). */
import { createHash } from 'node:crypto'
import { assert, utf8Bytes } from '@byway/protocol/base'
import type { PlainStatement } from './purse-types.ts'

const LABEL = utf8Bytes('byway plain v1')
const FIELD_BYTES = 32

/** 32 bytes to be signed by the deposit's owner. */
export function plainDigest({ root, nullifier, domain, x }: PlainStatement): Uint8Array {
  const hash = createHash('sha256').update(LABEL)
  for (const field of [root, nullifier, domain, x]) {
    assert(field.length === FIELD_BYTES, 'a field of a plain proof is not 32 bytes')
    hash.update(field)
  }
  return new Uint8Array(hash.digest())
}

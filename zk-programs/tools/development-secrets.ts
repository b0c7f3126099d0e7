/**
 * The secrets of the development set-up: hashes of a text that stands here, so that anybody can forge every proof made under it, and everybody gets the same bytes.
 */
import { createHash } from 'node:crypto'
import { reduce } from './field.ts'

/** Nothing may be worth anything under a set-up whose secrets are a hash of this. */
const SEED = 'byway development set-up: anybody can forge proofs under it'

/** What only a ceremony could hide. */
export function developmentSecret(name: 'tau' | 'alpha' | 'beta' | 'delta'): bigint {
  return reduce(BigInt(`0x${createHash('sha512').update(`${SEED}: ${name}`).digest('hex')}`))
}

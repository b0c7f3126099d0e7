/** The one "contribution" to the development keys that snarkjs makes: it moves delta away from gamma. Public, like all of a development set-up. */
import { createHash } from 'node:crypto'

/** 32 bytes in hexadecimal digits. */
export const BEACON: string = createHash('sha256').update('byway development set-up').digest('hex')
/** It is hashed two to the power of this many times. */
export const BEACON_ITERATIONS = 10

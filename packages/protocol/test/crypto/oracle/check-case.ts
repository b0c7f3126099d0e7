/** How a published case is put to our wrappers, whoever published it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, isBywayError } from '@byway/protocol/base'
import { NONCE_BYTES, TAG_BYTES, type AeadSuite } from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'

export type AeadCase = {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  readonly associated: Uint8Array
  /** Undefined where the case has to be refused. */
  readonly plaintext: Uint8Array | undefined
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

/** Runs `check` on every case in one test and reports how many there were; fewer than `least` is a failure. */
export function testCases<Case>(
  name: string,
  least: number,
  read: () => readonly Case[],
  check: (one: Case) => void,
): void {
  test(`${name}: every case as expected`, (t) => {
    const cases = read()
    assert.ok(cases.length >= least, `at least ${least} cases, not ${cases.length}`)
    for (const [index, one] of cases.entries()) {
      try {
        check(one)
      } catch (cause) {
        throw new Error(`${name}, case at ${index}: ${describe(one)}`, { cause })
      }
    }
    t.diagnostic(`${name}: ${cases.length} cases`)
  })
}

/** What `action` gives, or undefined when it refuses with one of our errors. */
export function orRefused<Result>(action: () => Result): Result | undefined {
  try {
    return action()
  } catch (error) {
    assert.ok(isBywayError(error), String(error))
    return undefined
  }
}

/**
 * Seals and opens. Ours takes 12-byte nonces and whole tags only: other nonces are refused both ways, and under a
 * shortened tag the sealed bytes must begin as published while opening must refuse.
 */
export function checkAead(suite: AeadSuite, one: AeadCase): void {
  const { nonce, associated, plaintext } = one
  const key = provider.aeadKey(one.key)
  const sealed = concatBytes(one.ciphertext, one.tag)
  const opened = orRefused(() => provider.aeadOpen(suite, key, nonce, associated, sealed))
  const isWhole = nonce.length === NONCE_BYTES && one.tag.length === TAG_BYTES
  assert.deepEqual(opened, isWhole ? plaintext : undefined)
  if (!plaintext) return
  const resealed = orRefused(() => provider.aeadSeal(suite, key, nonce, associated, plaintext))
  const isRefused = nonce.length !== NONCE_BYTES
  assert.deepEqual(resealed?.slice(0, sealed.length), isRefused ? undefined : sealed)
}

function describe(one: unknown): string {
  return JSON.stringify(one).slice(0, MAX_DESCRIBED)
}

/** Enough for the id or the key that a case begins with. */
const MAX_DESCRIBED = 200

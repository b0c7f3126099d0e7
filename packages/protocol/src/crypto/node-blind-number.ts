/**
 * Numbers of RFC 9474 between bytes, BigInt and OpenSSL: the modular powers are OpenSSL's, the few products BigInt's.
 *
 * BigInt is not constant in time. What it touches here are a client's own blinding factors and encoded messages, on the client's own
 * machine; a signer's private key never enters it.
 * @module
 */

/** OS2IP of RFC 8017 §4.2. */
export function toNumber(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`)
}

/** I2OSP of RFC 8017 §4.1, for a value that fits. */
export function toBytes(value: bigint, bytes: number): Uint8Array {
  const text = value.toString(16).padStart(bytes * 2, '0')
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** The inverse modulo `n` by Euclid's extended algorithm, or undefined when there is none. */
export function invert(value: bigint, n: bigint): bigint | undefined {
  let [high, low] = [n, value % n]
  let [before, now] = [0n, 1n]
  while (low !== 0n) {
    const quotient = high / low
    ;[high, low] = [low, high - quotient * low]
    ;[before, now] = [now, before - quotient * now]
  }
  if (high !== 1n) return undefined
  return before < 0n ? before + n : before
}

/**
 * Inverts all values with one inversion and three products each (Montgomery's trick); undefined when one of them, or one of `alsoUnits`,
 * shares a factor with `n`. One inversion costs as much as 75 products.
 */
export function invertAll(
  values: readonly bigint[],
  alsoUnits: readonly bigint[],
  n: bigint,
): readonly bigint[] | undefined {
  const prefix: bigint[] = []
  let product = alsoUnits.reduce((sofar, value) => (sofar * value) % n, 1n)
  const rest = product
  for (const value of values) {
    prefix.push(product)
    product = (product * value) % n
  }
  let inverse = invert(product, n)
  if (inverse === undefined) return undefined
  const inverses = Array.from({ length: values.length }, () => 0n)
  for (let i = values.length - 1; i >= 0; i--) {
    inverses[i] = (inverse * (prefix[i] ?? rest)) % n
    inverse = (inverse * (values[i] ?? 1n)) % n
  }
  return inverses
}

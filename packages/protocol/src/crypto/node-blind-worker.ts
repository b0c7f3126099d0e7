/**
 * The program of the thread that signs: takes a batch of elements in one buffer, answers with the signatures in one buffer. It imports nothing
 * but Node, so that it runs from source and from a build alike.
 * @module
 */
import { constants, privateDecrypt } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

/** A batch: elements of `elementBytes` each, one behind the other. */
export type SignTask = {
  readonly id: number
  readonly key: KeyObject
  readonly elements: Uint8Array<ArrayBuffer>
  readonly elementBytes: number
}

/** Its signatures, or undefined when one of the elements cannot be signed. */
export type SignResult = {
  readonly id: number
  readonly signatures: Uint8Array<ArrayBuffer> | undefined
}

/**
 * RFC 9474 §4.3: one private power for each. OpenSSL blinds it against timing and checks the result against e before it gives it out, as step 3
 * asks; it refuses an element that is not below the modulus.
 */
function signAll({ key, elements, elementBytes }: SignTask): Uint8Array<ArrayBuffer> | undefined {
  const signatures = new Uint8Array(elements.length)
  try {
    for (let at = 0; at < elements.length; at += elementBytes) {
      const element = elements.subarray(at, at + elementBytes)
      signatures.set(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, element), at)
    }
  } catch {
    return undefined
  }
  return signatures
}

parentPort?.on('message', (task: SignTask) => {
  const signatures = signAll(task)
  const result: SignResult = { id: task.id, signatures }
  parentPort?.postMessage(result, signatures ? [signatures.buffer] : [])
})

/** Which of the contracts' errors a test file provokes: what was decoded from calls that were refused counts, not what stands in its text. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { decodedErrors } from './rpc.ts'

/** Fails the file in the end unless calls were refused with each of these errors. `artifacts.test.ts` reads these lists, which begin a line, and wants every error in one. */
export function provokes(...names: readonly string[]): void {
  after(() => {
    const never = names.filter((name) => !decodedErrors.has(name))
    assert.deepEqual(never, [], 'no call was refused with these')
  })
}

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { toHex } from '@byway/protocol/base'
import type { ExitProofVerdict, ShownExit } from '@byway/protocol/directory'
import type { ExitHead } from '@byway/protocol/wire'
import { answerOf, type Testimony } from '../../src/record/record-answer.ts'

const PAGE_S = 86_400
const DAY = 20_000
const FROM_S = DAY * PAGE_S + 3600
const UNTIL_S = FROM_S + 7200
const idOf = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const EXIT = 9

function headOf(witness: number, page: number): ExitHead {
  const root = new Uint8Array(32).fill(page & 255)
  const closedS = (page + 1) * PAGE_S + 5
  return { witness: idOf(witness), page, closedS, entries: 1, root, previous: new Uint8Array(32) }
}

function proofOf(
  head: ExitHead | undefined,
  { fromS = FROM_S, untilS = UNTIL_S, exit = EXIT } = {},
): Testimony['proofs'][number] {
  const nodeId = idOf(exit)
  const hash = new Uint8Array(32)
  const entry = { nodeId, name: hash, fromS, untilS, sequence: 1, editionHash: hash }
  // What the editions say was judged before.
  const shown = { entry, head } as ShownExit
  return { bytes: new Uint8Array(0), verdict: { result: 'holds', shown } }
}

function witnessOf(number: number, change: Partial<Testimony> = {}): Testimony {
  const head = headOf(number, DAY)
  return {
    nodeId: idOf(number),
    isIndependent: true,
    chain: { result: 'holds', heads: [head] },
    proofs: [proofOf(head)],
    ...change,
  }
}

const answer = (witnesses: readonly Testimony[], atS?: number) => answerOf(witnesses, atS, PAGE_S)

suite('what witnesses of an exit say together (SPEC §10.6)', () => {
  test('yes, with each witness once, by its newest page', () => {
    const later = headOf(1, DAY + 1)
    const found = answer([
      witnessOf(1, { proofs: [proofOf(later, { untilS: UNTIL_S + 60 }), proofOf(headOf(1, DAY))] }),
      witnessOf(2),
      witnessOf(3, { proofs: [proofOf(undefined, { fromS: FROM_S - 60 })] }),
    ])
    assert.equal(found.answer, 'yes')
    const [exit] = found.exits
    assert.deepEqual(
      [exit?.nodeId, exit?.fromS, exit?.untilS, exit?.witnesses, exit?.signed],
      [toHex(idOf(EXIT)), FROM_S - 60, UNTIL_S + 60, 3, 2],
    )
    assert.deepEqual(
      exit?.shown.map(({ witness, page }) => [witness, page?.number]),
      [
        [toHex(idOf(1)), DAY + 1],
        [toHex(idOf(2)), DAY],
        [toHex(idOf(3)), undefined],
      ],
    )
    assert.deepEqual(exit?.shown[1]?.page, {
      number: DAY,
      closedS: (DAY + 1) * PAGE_S + 5,
      root: toHex(headOf(2, DAY).root),
    })
  })

  test('the exit that most witnesses show comes first', () => {
    const both = [proofOf(headOf(1, DAY), { exit: 8 }), proofOf(headOf(1, DAY))]
    const found = answer([witnessOf(1, { proofs: both }), witnessOf(2)])
    assert.deepEqual(
      found.exits.map(({ nodeId, witnesses }) => [nodeId, witnesses]),
      [
        [toHex(idOf(EXIT)), 2],
        [toHex(idOf(8)), 1],
      ],
    )
  })

  test('nothing of a witness that belongs to the exit, of a proof that does not hold, or of a record that contradicts itself', () => {
    const isFalse: ExitProofVerdict = { result: 'false', fault: 'edition' }
    const found = answer([
      witnessOf(1, { isIndependent: false }),
      witnessOf(2, { proofs: [{ bytes: new Uint8Array(0), verdict: isFalse }] }),
      witnessOf(3, { chain: { result: 'broken', fault: 'forked', heads: [] } }),
    ])
    assert.deepEqual([found.answer, found.exits], ['no', []])
    assert.deepEqual(found.contradicting, [{ witness: toHex(idOf(3)), fault: 'forked' }])
  })

  test('of a time: yes within the span, no on a page of that day without it, unknown where nobody kept a page', () => {
    const all = [witnessOf(1), witnessOf(2)]
    assert.equal(answer(all, FROM_S).answer, 'yes')
    assert.equal(answer(all, UNTIL_S).answer, 'yes')
    assert.equal(answer(all, UNTIL_S + 1).answer, 'no')
    assert.equal(answer(all, FROM_S - 1).answer, 'no')
    assert.deepEqual([answer(all, FROM_S - PAGE_S).answer, answer(all).covering], ['unknown', 2])
    assert.equal(answer([]).answer, 'unknown')
    // What came after the newest page is looked up among what goes on.
    assert.equal(answer(all, FROM_S + 2 * PAGE_S).answer, 'no')
  })
})

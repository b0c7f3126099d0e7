/** A challenge answered with a real audit proof and real slot proofs, kept in `vectors/`, before the contracts as they are deployed (SPEC §17.5). */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { keyOf } from './kit/keys.ts'
import { challengeAnswer, readAnswer, startAnswerScene } from './kit/real-answer.ts'
import { PROOFS } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('BadProof')

const made = await startAnswerScene()
after(() => made.scene[Symbol.asyncDispose]())
const { scene, service, provider } = made
const challenger = keyOf('challenger').address
const anyone = keyOf('anyone').address

test('takes real proofs of exactly what was committed to and drawn, and no others', async () => {
  const { epoch, openings, proof } = await readAnswer(made)
  await challengeAnswer(made, challenger)
  const answer = (samples: readonly object[], by: string = proof) =>
    service.send(anyone, 'answer', provider.address, epoch, samples, by)
  const [first, ...rest] = openings
  const other = openings.find(({ nullifier }) => nullifier !== first?.nullifier)
  if (!first || !other) assert.fail('all samples fall on one slot')
  const flipped = (hex: string): string => hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0')
  const bad: readonly (readonly [string, readonly object[], string?])[] = [
    ['another audit proof', openings, flipped(proof)],
    ['the slots in another order', openings.toReversed()],
    ['a slot that was not drawn', [other, ...rest]],
    ['the slot proof of another slot', [{ ...first, proof: other.proof }, ...rest]],
    ['another receipt key', [{ ...first, receiptKey: other.receiptKey }, ...rest]],
    ['another session key', [{ ...first, sessionKey: anyone }, ...rest]],
    ['a root that was never published', [{ ...first, root: first.root + 1n }, ...rest]],
    ['no slot proof', [{ ...first, proof: '0x' }, ...rest]],
  ]
  for (const [what, samples, by] of bad)
    await assert.rejects(answer(samples, by), { reason: 'BadProof' }, what)
  await answer(openings)
  assert.equal((await service.commitment(provider.address, epoch)).state, 'PROVEN')
  const payout = keyOf('provider payout').address
  assert.equal(await scene.world.balance(payout), (PROOFS.challengeBond * 9n) / 10n)
})

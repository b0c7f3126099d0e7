/** Shows what each constraint of a program refuses: a lie that the program refuses and that passes where this one constraint is missing. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { SignalInput } from 'snarkjs'
import { type Calculate, type Change, compileVariant, createVariantFolder } from './variants.ts'

/** Without `without` the `lie` makes a witness. */
export type Dropped = {
  /** What holds, in words. */
  readonly rule: string
  readonly without: readonly Change[]
  readonly lie: SignalInput
  /** What stays refused: for what two constraints hold, either alone. */
  readonly enough?: readonly (readonly Change[])[]
  /** What the program stands for that refuses, where a prover fills it in otherwise. */
  readonly within?: readonly Change[]
  /** What the lie gains: of the signals that it publishes. */
  readonly gain?: (published: readonly bigint[]) => void
}

export type DroppedProgram = {
  readonly program: string
  readonly size: string
  /** Makes a witness. */
  readonly truth: SignalInput
  readonly cases: readonly Dropped[]
}

/** Declares the tests of one program. */
export function describeDropped({ program, size, truth, cases }: DroppedProgram): void {
  describe(`what each constraint of the ${program} program refuses`, () => {
    const folder = createVariantFolder()
    after(() => folder[Symbol.dispose]())
    const variant = (...changes: readonly Change[]): Calculate =>
      compileVariant({ program, size, changes }, folder.path)
    let whole: Calculate
    before(() => {
      whole = variant()
    })

    it('takes the truth', async () => {
      await whole(truth)
    })

    for (const { rule, without, lie, enough = [], within, gain } of cases)
      it(rule, async () => {
        const held = within ? variant(...within) : whole
        await assert.rejects(held(lie), /Assert Failed/)
        for (const some of enough) await assert.rejects(variant(...some)(lie), /Assert Failed/)
        const [one, ...published] = await variant(...without)(lie)
        assert.equal(one, 1n)
        gain?.(published)
      })
  })
}

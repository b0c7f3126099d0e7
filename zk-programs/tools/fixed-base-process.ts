/** The program of a process that multiplies generators. A process, since the curve library takes every worker thread for its own. */
import { createFixedBases } from './fixed-base.ts'

/** Which generator, and by what. */
export type Multiplication = { readonly group: 'g1' | 'g2'; readonly scalars: readonly bigint[] }

const bases = createFixedBases()

async function answer({ group, scalars }: Multiplication): Promise<Uint8Array> {
  const { [group]: multiply } = await bases
  return multiply(scalars)
}

let last = Promise.resolve()
process.on('message', (task: Multiplication) => {
  last = last.then(async () => void process.send?.(await answer(task)))
})
process.on('disconnect', () => process.exit(0))

/** What a person sees who waits for a proof, and what a log does. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createProgressLine, showProof } from '../../src/display/progress-line.ts'

function written(
  isInteractive: boolean,
  work: (show: ReturnType<typeof showProof>) => void,
): string {
  const lines: string[] = []
  {
    using line = createProgressLine({ isInteractive, writeErr: (text) => void lines.push(text) })
    work(showProof(line))
  }
  return lines.join('')
}

/** As a proof tells it. */
function tell(show: ReturnType<typeof showProof>): void {
  for (const done of [0, 250, 251, 999, 1000]) show({ stage: 'tree', done, total: 1000 })
  show({ stage: 'witness', done: 0, total: 1 })
  for (const done of [0, 7, 14]) show({ stage: 'sums', done, total: 14 })
}

describe('progress of a proof', () => {
  it('is one line a stage where nobody looks', () => {
    assert.equal(
      written(false, tell),
      'byway: hashing 1000 receipts\nbyway: computing the witness\nbyway: proving with all cores, for a minute or less\n',
    )
  })

  it('is a line that is written over on a terminal, once for each hundredth', () => {
    const start = '\r\u{1b}[Kbyway: '
    const sums = `${start}proving with all cores, for a minute or less`
    assert.equal(
      written(true, tell),
      [
        `${start}hashing 1000 receipts, 0 %`,
        `${start}hashing 1000 receipts, 25 %`,
        `${start}hashing 1000 receipts, 99 %`,
        `${start}hashing 1000 receipts, 100 %\n`,
        `${start}computing the witness\n`,
        `${sums}, 0 %`,
        `${sums}, 50 %`,
        `${sums}, 100 %\n`,
      ].join(''),
    )
  })

  it('leaves the line where it is cut short, for what is said then', () => {
    const half = written(true, (show) => show({ stage: 'sums', done: 1, total: 2 }))
    assert.match(half, /50 %\n$/)
    assert.equal(
      written(true, () => {}),
      '',
    )
  })
})

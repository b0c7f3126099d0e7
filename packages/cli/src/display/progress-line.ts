/** How far something is that a person waits for, on stderr: on a terminal one line that is written over, elsewhere one line a stage. */
import type { OnProofProgress } from '@byway/zk'
import type { CliIo } from '../io.ts'

/** A line, until it is disposed. */
export interface ProgressLine extends Disposable {
  /** Says how much of a stage is done. Another text is another stage. */
  show(text: string, done: number, total: number): void
}

/** Creates one; nothing is written before it is told of a stage. */
export function createProgressLine({
  isInteractive,
  writeErr,
}: Pick<CliIo, 'isInteractive' | 'writeErr'>): ProgressLine {
  let shown = ''
  let stage = ''
  const end = (): void => {
    if (isInteractive && shown !== '') writeErr('\n')
    shown = ''
  }
  return {
    show(text, done, total) {
      const isNew = text !== stage
      if (isNew) end()
      stage = text
      if (!isInteractive) {
        if (isNew) writeErr(`byway: ${text}\n`)
        return
      }
      // Of one thing there are no parts.
      const share = total > 1 ? `, ${Math.floor((100 * done) / total)} %` : ''
      const line = `byway: ${text}${share}`
      // What ended at all of it stays ended.
      if (line === shown || (!isNew && shown === '')) return
      writeErr(`${START_OF_LINE}${line}`)
      shown = line
      if (done >= total) end()
    },
    [Symbol.dispose]: end,
  }
}

/** And nothing stays on it. */
const START_OF_LINE = '\r\u{1b}[K'

/** Shows a proof's stages. */
export function showProof(line: Pick<ProgressLine, 'show'>): OnProofProgress {
  return ({ stage, done, total }) => {
    const text = {
      tree: `hashing ${total} receipts`,
      witness: 'computing the witness',
      sums: 'proving with all cores, for a minute or less',
    }[stage]
    line.show(text, done, total)
  }
}

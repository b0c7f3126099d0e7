/** Shows lines that change: in place on a terminal, and as lines of their own, when they have changed, elsewhere. */

export interface Screen {
  show(lines: readonly string[]): void
}

/** Creates a screen; `isTerminal` says whether the cursor may be moved. */
export function createScreen(out: { writeOut(text: string): void }, isTerminal: boolean): Screen {
  let shown: readonly string[] = []
  return {
    show(lines) {
      if (isTerminal) {
        const up = shown.length > 0 ? `${ESC}[${shown.length}A` : ''
        out.writeOut(`${up}${lines.map((line) => `${line}${ESC}[K\n`).join('')}${ESC}[J`)
      } else {
        const known = new Set(shown)
        for (const line of lines) if (!known.has(line)) out.writeOut(`${line}\n`)
      }
      shown = lines
    },
  }
}

const ESC = '\u{1b}'

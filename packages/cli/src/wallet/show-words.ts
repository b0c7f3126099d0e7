/** Shows the words once to a person, and asks for three of them: who has not written them down finds out now. */
import { randomInt } from 'node:crypto'
import type { CliIo } from '../io.ts'
import { walletError } from './wallet-errors.ts'

const ASKED = 3
const TRIES = 3
const COLUMNS = 4
/** The longest word of the list has eight letters. */
const COLUMN_LETTERS = 14
/** Clears the screen, and what was scrolled away. */
const CLEAR = '\u001B[2J\u001B[3J\u001B[H'

/** @throws WALLET_WORDS_UNCONFIRMED after three wrong answers */
export async function showWords(
  io: CliIo,
  words: readonly string[],
  random: (below: number) => number = randomInt,
): Promise<void> {
  io.writeErr(`\n${TEXT}\n\n${table(words)}\n\n`)
  await io.ask('Written down? Press Enter, and they are gone from the screen. ')
  io.writeErr(CLEAR)
  for (const position of positions(words.length, random)) await askOne(io, words, position)
}

async function askOne(io: CliIo, words: readonly string[], position: number): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const typed = await io.ask(`word ${position + 1}: `)
    if (typed.trim().toLowerCase() === words[position]) return
    io.writeErr('no, another one; look at what you wrote down\n')
  }
  throw walletError('WALLET_WORDS_UNCONFIRMED', { tries: TRIES })
}

/** Three different ones, in order. */
function positions(count: number, random: (below: number) => number): readonly number[] {
  const chosen = new Set<number>()
  while (chosen.size < Math.min(ASKED, count)) chosen.add(random(count))
  return [...chosen].toSorted((a, b) => a - b)
}

function table(words: readonly string[]): string {
  const rows = Math.ceil(words.length / COLUMNS)
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: COLUMNS }, (_column, column) => {
      const at = column * rows + row
      const word = words[at]
      return word === undefined ? '' : `${at + 1}. ${word}`.padEnd(COLUMN_LETTERS)
    }).join(' '),
  ).join('\n')
}

const TEXT = `These words are your money. Write them on paper, in this order; they are shown this once.
Whoever has them has everything: deposits, earnings, and where earnings go. Nobody can give them back to you.
They are not stored here; the purse holds a key made from them, which cannot change where earnings go.`

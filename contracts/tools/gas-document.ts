/** Writes and reads `GAS.md`: the measured table, and beside it what others need. */
import { readFileSync } from 'node:fs'
import type { GasTable } from './gas-table.ts'
import { ROOT } from './solc.ts'

export const GAS_FILE = 'contracts/GAS.md'

const ROW = /^\| ([^|]+?) \| (\d[\d ]*) \|/

/** The document around the measured rows. */
export function renderGas(table: GasTable): string {
  const rows = Object.entries(table).map(
    ([row, gas]) => `| ${row} | ${spaced(gas)} |${each(row, gas)} |`,
  )
  return `# Gas

Made by \`npm run gas\` on anvil 1.7.1; \`npm test\` fails when a figure is off by more than 2 %. Gas of whole transactions, the 21 000 of each included. Profile: K = 2,
64 leaves. *Plain proof* is the authoriser that shows the payer; *without the proof* is the pool alone, to which any authoriser adds its own; *judge* is the judging of
slot proofs, without the transaction and the call data around it.

| call | gas | each |
|---|---|---|
${rows.join('\n')}

A deposit costs one hash on average, for the tree keeps the peaks of its full subtrees and makes a root only when it is published. The least is a leaf on the left of its
parent; the most is one that closes five levels.

## Beside others

What one winning ticket costs its receiver. None of the others hides who pays whom.

| system | gas a win | source |
|---|---|---|
| Byway, first win of a slot, slot proof included | ${spaced(bindWithProof(table, 1))}, in 16s ${spaced(bindWithProof(table, 16))} | sum of *bind, without the proof* and *judge* |
| Byway, lock | ${spaced(table['lock 1'])}, in 16s ${spaced(share(table, 'lock 16'))} | above |
| Byway, later win | ${spaced(table['claimMore 1'])}, in 16s ${spaced(share(table, 'claimMore 16'))} | above |
| Byway's first laboratory contract, Groth16 included | bind 299 582, in 16s 105 944; later win 45 175, in 16s 18 464; lock 44 405 | solc 0.8.37, anvil 1.7.1; without fee, burn, bond, stake, redeemers |
| Orchid | 100 000 assumed by its application | \`gasCostToRedeemTicket\`, \`lot-ethereum\` at 1d1852e0 |
| HOPR | about 51 000 of execution, plus 21 000 and call data | comment in \`Channels.sol\` at 023f1a0 |
| Livepeer | 350 000 assumed, 250 000 before | constant in go-livepeer; its issues 1904, 2248, 2483 |

The later win is dearer than in the laboratory by what that contract left out: terms of redeemers and a burned share (call data, one more division of the win), SHA-256 for every
digest (SPEC §1), signatures of 65 bytes in one form (SPEC §13.4) and an event with index and amount for the ledger. The lock is dearer by the look at the provider's stake.
`
}

/** Rows of the committed document. */
export function readGas(): GasTable {
  const rows = readFileSync(ROOT + GAS_FILE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, row, gas] = ROW.exec(line) ?? []
      return row === undefined || gas === undefined ? [] : [[row, Number(gas.replaceAll(' ', ''))]]
    })
  return Object.fromEntries(rows) as GasTable
}

/** Entries of a batch, in its row's name: `bind 16, plain proof`. */
function sizeOf(row: string): number {
  return Number(/^\w+ (\d+)/.exec(row)?.[1] ?? 1)
}

function each(row: string, gas: number): string {
  const size = sizeOf(row)
  return size === 1 ? '' : ` ${spaced(Math.round(gas / size))}`
}

function share(table: GasTable, row: string): number {
  return Math.round((table[row] ?? 0) / sizeOf(row))
}

/** A bind and the judging of its slot proof, for each of a batch. */
function bindWithProof(table: GasTable, size: number): number {
  return share(table, `bind ${size}, without the proof`) + share(table, `judge ${size}, slot proof`)
}

function spaced(gas = 0): string {
  return String(gas).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
}

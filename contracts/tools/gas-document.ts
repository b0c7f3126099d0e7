/** Writes and reads `GAS.md`: the measured table, and beside it what others need. */
import { readFileSync } from 'node:fs'
import type { GasTable, Measured } from './gas-table.ts'
import { ROOT } from './solc.ts'

export const GAS_FILE = 'contracts/GAS.md'

const ROW = /^\| ([^|]+?) \| (\d[\d ]*) \|/

/** The document around the measured rows. */
export function renderGas({ gas: table, callData }: Measured): string {
  const rows = Object.entries(table).map(
    ([row, gas]) => `| ${row} | ${spaced(gas)} |${each(row, gas)} |`,
  )
  return `# Gas

Made by \`npm run gas\` on anvil 1.7.1; \`npm test\` fails when a figure is off by more than 2 %. Gas of whole transactions, the 21 000 of each included. Profile: K = 2,
64 leaves. *Plain proof* is the tests' authoriser, which shows the payer and is never deployed; *without the proof* is the pool alone, to which any authoriser adds its own, with openings of as many bytes as a slot proof has; *judge* is the judging of
slot proofs, without the transaction and the call data around it; *answer, without the proofs* leaves out twelve of slots and the audit's, *answer, real proofs* is with those of the kept answer in vectors/; both, and *for another*, are sent by another than the provider. What an epoch costs a node is a commit, a draw now and then, and a settle.

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

## Beside the laboratory

The goal is what PAYMENTS §5.4 measured of a sketch: without fee, burn, bond, stake, redeemers and books. *Sixteen* are of sixteen slots.

| call | laboratory | here | |
|---|---|---|---|
${GOALS.map((goal) => goalRow(goal, table)).join('\n')}

First wins, with their proofs, and later wins cost less than the sketch, though they pay for what it left out: what was added was saved in judging, and in the bytes of later wins (SPEC §14.8), which name a slot once for all its wins and nothing that the contract finds by itself: the
sender is the provider, and the signer of a ticket is the session key where the two make the slot's holder. The word of a slot and the provider's account are read and written once for all of them. In real tickets, as measured here, a nonce has no zero bytes.

A lock stays dearer, for two things that the sketch did not have: the look at the provider's stake (${spaced(STAKE_GAS)} for a cold contract and a cold word, about 1 000 for the call), without which anybody locks others' slots for nothing, and an event (1 500), without which no book and no
follower knows of it. The sketch's sixteen come to 22 614 for each further lock, of which the word (22 100) and a nullifier in call data (512) are 22 612: no event fits into that. Looking at the stake only when another wants a slot that is locked would save the first; then
every node, client and relayer that meets a lock would have to ask the registry whether it counts ([ADR 0014](../docs/adr/0014-pool.md)).

A refund's proof says where its slot goes ([ADR 0049](../docs/adr/0049-refund-by-proof.md)), so that neither step reads a signature. Its finish computes the new leaf, which the sketch took from whoever called: a hash each. A payout asks the registry where the provider wants its money (a cold contract and two words, 6 800), books what is to be burned (5 000), and tells
of it (about 1 800); and its word stays, for the wins whose part is held back, where the sketch's was cleared for 4 800. The *first* one writes the word of what is to be burned and the balance of its receiver, 17 100 more each. The sketch's receiver had no balance either, so like for like it is *the first* less one of these: ${spaced((table['payout'] ?? 0) - FIRST_WRITE_GAS)}.

A slot's life is a lock, a bind with its proof and the wins after it, to the profile's number of wins; what a win costs in it:

| wins of a slot | each call alone, laboratory | here | in sixteens, laboratory | here |
|---|---|---|---|---|
${LIVES.map((wins) => lifeRow(wins, table)).join('\n')}

## Judging slot proofs

What the chain's precompiles alone ask (EIP-1108), for n proofs together: a pairing of n + 3 pairs, 45 000 and 34 000 each; products of points at 6 000, two for each proof but the first, one for each input that differs, and for more than
one proof two more; sums at 150. That is ${spaced(leastJudging(1))} for one and ${spaced(Math.round(leastJudging(16) / 16))} each in sixteen. What tag and size of a slot add is made once, at deployment; a factor of one is no product, since
sums and pairings refuse a point off the curve as well.

A report of a double use costs ${spaced(table['conflictTickets, bound'])} where the slot is bound and a ticket for another provider is shown (no proof is judged), ${spaced(twoOpenings(table))} for two openings. At the start values (0.01 gwei, a coin of
$3000) that is ${dollars(table['conflictTickets, bound'])} and ${dollars(twoOpenings(table))}, and the reporter's tenth of the bond $0.005 ([ADR 0014](../docs/adr/0014-pool.md)).

## Where it goes

A call alone, by the prices of the EVM (Cancun); what is left over is the contract's own code: finding the function, reading and checking, hashes, memory.

| part | lock | bind, without the proof | later win | what it is for |
|---|---|---|---|---|
${callDataRow(callData)}
${PARTS.map(partRow).join('\n')}
| code | ${CALLS.map((row, i) => spaced((table[row] ?? 0) - (callData[row] ?? 0) - sumOfParts(i))).join(' | ')} | |
| all | ${CALLS.map((row) => spaced(table[row])).join(' | ')} | |

In a batch the transaction, the stake and the account are paid once, so that sixteen locks cost half of one each; wins of one slot pay for its word once. Holding 5 % back for service proofs (SPEC §17.5) stands in the account's word.
`
}

/** A cold contract and a cold word in it (EIP-2929). */
const STAKE_GAS = 4700

/** What the first write of a word costs more than a later one (EIP-2200). */
const FIRST_WRITE_GAS = 17_100

/** PAYMENTS §5.4: what the laboratory measured. */
export const GOALS: readonly {
  readonly call: string
  readonly row: string
  readonly gas: number
}[] = [
  { call: 'claimMore, one', row: 'claimMore 1', gas: 45_175 },
  { call: 'claimMore, six of one slot', row: 'claimMore 6, one slot', gas: 104_569 },
  { call: 'claimMore, sixteen', row: 'claimMore 16', gas: 295_416 },
  { call: 'bind with its proof, one', row: 'bind 1', gas: 299_582 },
  { call: 'bind with their proofs, two', row: 'bind 2', gas: 408_529 },
  { call: 'bind with their proofs, four', row: 'bind 4', gas: 592_208 },
  { call: 'bind with their proofs, eight', row: 'bind 8', gas: 959_679 },
  { call: 'bind with their proofs, sixteen', row: 'bind 16', gas: 1_695_105 },
  { call: 'lock, one', row: 'lock 1', gas: 44_405 },
  { call: 'lock, sixteen', row: 'lock 16', gas: 383_612 },
  { call: 'refund with its proof, one', row: 'refund 1', gas: 284_892 },
  { call: 'refund with their proofs, eight', row: 'refund 8', gas: 867_751 },
  { call: 'finish of eight refunds', row: 'finishRefund 8', gas: 627_431 },
  { call: 'payout, the first', row: 'payout', gas: 53_939 },
  { call: 'payout, a later one', row: 'payout, later', gas: 53_939 },
]

/** Of a whole call, a slot proof or several included. */
export function ourGas(row: string, table: GasTable): number | undefined {
  const size = sizeOf(row)
  if (row.startsWith('bind')) return bindsWithProofs(table, size)
  if (!row.startsWith('refund')) return table[row]
  const pool = table[size === 1 ? 'refund, without the proof' : `refund ${size}, without the proof`]
  return pool === undefined ? undefined : pool + (table[`judge ${size}, slot proof`] ?? Infinity)
}

function goalRow({ call, row, gas }: (typeof GOALS)[number], table: GasTable): string {
  const ours = ourGas(row, table)
  const change = (((ours ?? 0) - gas) / gas) * 100
  return `| ${call} | ${spaced(gas)} | ${spaced(ours)} | ${change.toFixed(1)} % |`
}

/** Wins of a slot: the profile in use, and those that PAYMENTS §3.1 names. */
const LIVES = [2, 4, 8] as const

/** What a win of a slot costs with its lock and its bind, of the laboratory and here, each call alone and sixteen together. */
function lifeRow(wins: number, table: GasTable): string {
  const goal = (row: string) => GOALS.find((it) => it.row === row)?.gas ?? Infinity
  const ours = (row: string) => ourGas(row, table) ?? Infinity
  const ofWin = (gasOf: (row: string) => number, size: number) => {
    const [lock, bind, later] = ['lock', 'bind', 'claimMore'].map((call) =>
      gasOf(`${call} ${size}`),
    )
    return Math.round(((lock ?? 0) + (bind ?? 0) + (wins - 1) * (later ?? 0)) / size / wins)
  }
  const pair = (size: number) => {
    const [lab, here] = [ofWin(goal, size), ofWin(ours, size)]
    return `${spaced(lab)} | ${spaced(here)} (${signed((here - lab) / lab)})`
  }
  return `| ${wins} | ${pair(1)} | ${pair(16)} |`
}

/** A share of one in percent, with its sign. */
function signed(part: number): string {
  return `${part < 0 ? '' : '+'}${(part * 100).toFixed(1)} %`
}

/** Rows of the table, in the order of the columns. */
const CALLS = ['lock 1', 'bind 1, without the proof', 'claimMore 1'] as const

type Part = {
  readonly name: string
  readonly gas: readonly number[]
  readonly why: string
}

/** Prices of EIP-2200, 2929 and 3529, and of precompiles. */
const PARTS: readonly Part[] = [
  { name: 'transaction', gas: [21_000, 21_000, 21_000], why: '' },
  {
    name: "the slot's word",
    gas: [22_100, 22_100, 5000],
    why: 'first written by a lock or a bind, then changed',
  },
  {
    name: "the provider's account",
    gas: [0, 5000, 5000],
    why: 'credit, fee to be burned, part held back: one word',
  },
  { name: 'stake in the registry', gas: [STAKE_GAS, 0, 0], why: 'a cold contract and a cold word' },
  { name: 'root and authoriser', gas: [0, 4700, 0], why: 'was it published; a cold contract' },
  { name: 'signature', gas: [0, 3000, 3000], why: "the session key's" },
  {
    name: 'event',
    gas: [1500, 2268, 2268],
    why: 'three topics; index, wins and amount for the books',
  },
]

/** What the bytes of each of these calls cost, as they were sent (EIP-2028). */
export function callDataRow(callData: GasTable): string {
  return partRow({
    name: 'call data',
    gas: CALLS.map((row) => callData[row] ?? Number.NaN),
    why: 'opening, with a proof of 256 bytes, and ticket; of a bind also terms of redeemers, empty here',
  })
}

function partRow({ name, gas, why }: Part): string {
  return `| ${name} | ${gas.map(spaced).join(' | ')} | ${why} |`
}

function sumOfParts(column: number): number {
  return PARTS.reduce((sum, { gas }) => sum + (gas[column] ?? 0), 0)
}

/** Rows of the committed document. */
export function readGas(): GasTable {
  // The first table; those below compare and explain.
  const [measured = ''] = readFileSync(ROOT + GAS_FILE, 'utf8').split('\n## ')
  const rows = measured.split('\n').flatMap((line) => {
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
  return Math.round(bindsWithProofs(table, size) / size)
}

/** Of a whole batch. */
function bindsWithProofs(table: GasTable, size: number): number {
  const pool = table[`bind ${size}, without the proof`] ?? 0
  return pool + (table[`judge ${size}, slot proof`] ?? 0)
}

/** Two proofs of one slot, with the rest of the call. */
function twoOpenings(table: GasTable): number {
  return (table['conflictOpenings, without the proofs'] ?? 0) + (table['judge 2, slot proof'] ?? 0)
}

/** The precompiles' part of judging so many slot proofs together. */
function leastJudging(count: number): number {
  // Root, nullifier, domain, x; from two proofs on also the fixed part and alpha have a factor.
  const products = 2 * (count - 1) + (count > 1 ? 6 : 4)
  const sums = count + 5
  return PAIRING_GAS + PAIR_GAS * (count + 3) + PRODUCT_GAS * products + SUM_GAS * sums
}

/** EIP-1108. */
const PAIRING_GAS = 45_000
const PAIR_GAS = 34_000
const PRODUCT_GAS = 6000
const SUM_GAS = 150

/** At the start values: 0.01 gwei, a coin of $3000. */
function dollars(gas = 0): string {
  return `$${((gas * 0.01 * 3000) / 1e9).toFixed(4)}`
}

function spaced(gas = 0): string {
  return String(gas).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { callDataRow, GAS_FILE, GOALS, ourGas, readGas } from '../tools/gas-document.ts'
import { measureGas } from '../tools/gas-table.ts'
import { ROOT } from '../tools/solc.ts'

const TOLERANCE = 0.02

/** Calls that cost more than in the laboratory of PAYMENTS §5.4, for what contracts/GAS.md and ADR 0014 say, and what they may cost at most: as measured, and 2 %. */
const DEARER: Readonly<Record<string, number>> = {
  'lock 1': 54_450,
  'lock 16': 434_400,
  payout: 93_800,
  'payout, later': 58_630,
}

const { gas: measured, callData } = await measureGas()

test('every call costs what contracts/GAS.md says, within 2 %', () => {
  const written = readGas()
  assert.deepEqual(Object.keys(written), Object.keys(measured), 'run `npm run gas`')
  for (const [row, gas] of Object.entries(measured)) {
    const before = written[row] ?? 0
    const change = Math.abs(gas - before) / before
    assert.ok(change <= TOLERANCE, `${row}: ${gas}, written ${before}; run \`npm run gas\``)
  }
})

test('the bytes of calls cost what contracts/GAS.md says, to the gas', () => {
  const lines = readFileSync(ROOT + GAS_FILE, 'utf8').split('\n')
  assert.ok(lines.includes(callDataRow(callData)), `${callDataRow(callData)}; run \`npm run gas\``)
})

test('a win, the first with its proof and a later one, costs no more than was wanted, nor does a refund, and four other calls no more than is said of them', () => {
  const within = GOALS.filter(({ row }) => /^(bind|claimMore|refund|finishRefund)/.test(row))
  assert.equal(within.length, 11)
  assert.ok(within.every(({ row }) => !(row in DEARER)))
  for (const { row, gas } of GOALS) {
    const most = DEARER[row] ?? gas
    const ours = ourGas(row, measured) ?? Infinity
    assert.ok(ours <= most, `${row}: ${ours}, at most ${most}`)
  }
})

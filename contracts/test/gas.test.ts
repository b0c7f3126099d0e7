import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOALS, ourGas, readGas } from '../tools/gas-document.ts'
import { measureGas } from '../tools/gas-table.ts'

const TOLERANCE = 0.02

/** These cost more than in the laboratory of PAYMENTS §5.4, for what contracts/GAS.md says. */
const DEARER = /^(lock|refund 8|finishRefund|payout)/

test('every call costs what contracts/GAS.md says, within 2 %, and a win, the first with its proof and a later one, no more than was wanted', async () => {
  // A real slot proof takes a prover some seconds; those rows are measured in CI and with SLOW=1.
  const withProofs = Boolean(process.env['SLOW'] ?? process.env['CI'])
  const [all, measured] = [readGas(), await measureGas(withProofs)]
  const rows = Object.entries(all).filter(([row]) => withProofs || !row.endsWith('slot proof'))
  const written = Object.fromEntries(rows)
  assert.deepEqual(Object.keys(written), Object.keys(measured), 'run `npm run gas`')
  for (const [row, gas] of Object.entries(measured)) {
    const before = written[row] ?? 0
    const change = Math.abs(gas - before) / before
    assert.ok(change <= TOLERANCE, `${row}: ${gas}, written ${before}; run \`npm run gas\``)
  }
  for (const { row, gas } of GOALS) {
    if (DEARER.test(row) || (!withProofs && /^(bind|refund)/.test(row))) continue
    const ours = ourGas(row, measured) ?? Infinity
    assert.ok(ours <= gas, `${row}: ${ours}, wanted ${gas}`)
  }
})

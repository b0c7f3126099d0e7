import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readGas } from '../tools/gas-document.ts'
import { measureGas } from '../tools/gas-table.ts'

const TOLERANCE = 0.02

/** PAYMENTS §5.4: later wins in the laboratory, which had neither fee nor bond nor redeemers. */
const MOST = { 'claimMore 1': 45_175, 'claimMore 6, one slot': 104_569, 'claimMore 16': 295_416 }

test('every call costs what contracts/GAS.md says, within 2 %, and a later win no more than was wanted', async () => {
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
  for (const [row, most] of Object.entries(MOST))
    assert.ok((measured[row] ?? Infinity) <= most, `${row}: ${measured[row]}, wanted ${most}`)
})

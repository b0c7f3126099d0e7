import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readGas } from '../tools/gas-document.ts'
import { measureGas } from '../tools/gas-table.ts'

const TOLERANCE = 0.02

test('every call costs what contracts/GAS.md says, within 2 %', async () => {
  const [written, measured] = [readGas(), await measureGas()]
  assert.deepEqual(Object.keys(written), Object.keys(measured), 'run `npm run gas`')
  for (const [row, gas] of Object.entries(measured)) {
    const before = written[row] ?? 0
    const change = Math.abs(gas - before) / before
    assert.ok(change <= TOLERANCE, `${row}: ${gas}, written ${before}; run \`npm run gas\``)
  }
})

import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { METER_FILE, openGasMeter } from '../../src/signer/gas-meter.ts'
import { temporaryHome } from '../temporary-home.ts'

const DAY_MS = 86_400_000

test('stops at the cap of a day and account, and begins anew with the next day', () => {
  using meter = openGasMeter(':memory:', 100n)
  assert.equal(meter.charge('funds', 0, 60n, 0), true)
  assert.equal(meter.charge('funds', 1, 41n, 0), false)
  assert.equal(meter.charge('funds', 1, 40n, DAY_MS - 1), true)
  assert.equal(meter.charge('provider', 0, 100n, 0), true)
  assert.equal(meter.charge('funds', 2, 1n, DAY_MS - 1), false)
  assert.equal(meter.charge('funds', 2, 100n, DAY_MS), true)
})

test('counts the dearest signature of a nonce once', () => {
  using meter = openGasMeter(':memory:', 100n)
  assert.equal(meter.charge('funds', 0, 50n, 0), true)
  assert.equal(meter.charge('funds', 0, 90n, 0), true)
  assert.equal(meter.charge('funds', 0, 10n, 0), true)
  assert.equal(meter.charge('funds', 1, 11n, 0), false)
  assert.equal(meter.charge('funds', 0, 101n, 0), false)
  assert.equal(meter.charge('funds', 1, 10n, 0), true)
})

test('remembers after a restart, in a private file, and two signers share it', async (t) => {
  const home = await temporaryHome(t)
  const first = openGasMeter(home, 100n)
  using second = openGasMeter(home, 100n)
  assert.equal(first.charge('funds', 0, 60n, 0), true)
  assert.equal(second.charge('funds', 1, 60n, 0), false)
  first[Symbol.dispose]()
  using again = openGasMeter(home, 100n)
  assert.equal(again.charge('funds', 1, 41n, 0), false)
  assert.equal((await stat(join(home, METER_FILE))).mode & 0o777, 0o600)
})

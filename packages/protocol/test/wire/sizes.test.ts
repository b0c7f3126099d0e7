import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as crypto from '@byway/protocol/crypto'
import * as wire from '@byway/protocol/wire'

test('sizes that the layouts and the algorithms both know are the same', () => {
  assert.equal(wire.MESSAGE_1_OVERHEAD_BYTES, crypto.MESSAGE1_OVERHEAD_BYTES)
  assert.equal(wire.MESSAGE_2_OVERHEAD_BYTES, crypto.MESSAGE2_OVERHEAD_BYTES)
  assert.equal(wire.MAC1_BYTES, crypto.MAC1_BYTES)
  assert.equal(wire.ONION_KEY_ID_BYTES, crypto.ONION_KEY_ID_BYTES)
  assert.equal(wire.TAG_BYTES, crypto.TAG_BYTES)
})

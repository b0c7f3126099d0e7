import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { toHex } from '@byway/protocol/base'
import { openIdentity } from '@byway/node'
import { watchOwnNodes } from '../../src/engine/own-nodes.ts'

test("knows the settings' nodes, and the one of this folder from whenever it is there", async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-own-nodes-'))
  t.after(async () => await rm(home, { recursive: true, force: true }))
  mock.timers.enable({ apis: ['setInterval'] })
  t.after(() => mock.timers.reset())
  const named = 'ab'.repeat(32)
  using own = await watchOwnNodes(home, [named])
  assert.deepEqual(own.list().map(toHex), [named])
  const here = await openIdentity(home)
  mock.timers.tick(60_000)
  while (own.list().length < 2) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(own.list().map(toHex), [named, toHex(here)])
  using later = await watchOwnNodes(home, [])
  assert.deepEqual(later.list().map(toHex), [toHex(here)])
})

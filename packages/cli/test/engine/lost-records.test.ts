/** A client whose records are deleted whole: a folder without them looks like a new one, and must not be taken for it (DESIGN §7.1). */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLocalPurse, readPurseFile } from '@byway/purse'
import { forgetIfLost, forgetSlots, openOwnStore } from '../../src/engine/own-store.ts'

async function openOnce(home: string): Promise<boolean> {
  const isLost = await forgetIfLost(home)
  await using store = await openOwnStore(home, 'client')
  assert.equal(store.health, 'ok')
  return isLost
}

const knownFrom = async (home: string) => (await readPurseFile(home)).past.depositsFrom

test('records that are gone are missed, once, and no deposit of before counts as unshown', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-test-'))
  t.after(() => rm(home, { recursive: true }))
  assert.equal(await forgetIfLost(home), false, 'no purse, no records')
  await createLocalPurse(home)
  assert.equal(await openOnce(home), false, 'the first start')
  assert.equal(await openOnce(home), false)
  assert.equal(await knownFrom(home), 0)
  for (const file of ['client.db', 'client.db-wal', 'client.db-shm']) {
    await rm(join(home, file), { force: true })
  }
  assert.equal(await openOnce(home), true)
  assert.equal(await knownFrom(home), undefined)
  assert.equal(await openOnce(home), false)
  assert.equal(await knownFrom(home), undefined, 'it does not come back')
})

test('records that are not whole are remembered as such', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-test-'))
  t.after(() => rm(home, { recursive: true }))
  await createLocalPurse(home)
  await openOnce(home)
  await forgetSlots(home)
  assert.equal(await openOnce(home), false)
  assert.equal(await knownFrom(home), undefined)
})

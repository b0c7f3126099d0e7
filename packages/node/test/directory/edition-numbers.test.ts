import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openEditionNumbers } from '../../src/directory/edition-numbers.ts'

const NOW_S = 1_800_000_000

async function folder(t: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'byway-numbers-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  return home
}

test('numbers rise within a second, after the clock was set back, and follow the clock', async (t) => {
  const numbers = await openEditionNumbers(await folder(t), NOW_S)
  const taken = [NOW_S, NOW_S, NOW_S - 5000, NOW_S + 60].map((nowS) => numbers.take(nowS))
  assert.deepEqual(taken, [NOW_S, NOW_S + 1, NOW_S + 2, NOW_S + 60])
})

test('no number is used again after a stop of any kind, whatever the clock says then', async (t) => {
  const home = await folder(t)
  const used = new Set<number>()
  for (const startS of [NOW_S, NOW_S, NOW_S - 86_400, NOW_S + 10]) {
    const numbers = await openEditionNumbers(home, startS)
    for (const laterS of [0, 0, 1, 200_000, 200_000]) {
      const number = numbers.take(startS + laterS)
      assert.ok(!used.has(number), `${number} was used`)
      used.add(number)
    }
  }
})

test('a program that runs for long reserves more, and stays with the clock', async (t) => {
  const home = await folder(t)
  const numbers = await openEditionNumbers(home, NOW_S)
  for (let hour = 1; hour < 30; hour++) await numbers.extend(NOW_S + hour * 1800)
  const nowS = NOW_S + 29 * 1800
  assert.equal(numbers.take(nowS), nowS)
  const restarted = await openEditionNumbers(home, nowS)
  assert.ok(restarted.take(nowS) > nowS)
})

test('a damaged file stops the node before it signs anything', async (t) => {
  const home = await folder(t)
  await writeFile(join(home, 'edition.number'), 'soon', { mode: 0o600 })
  await assert.rejects(openEditionNumbers(home, NOW_S), { code: 'NODE_IDENTITY_DAMAGED' })
})

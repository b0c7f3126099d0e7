/** When slots go back, and to whom: what would tell a relayer that two of them have one owner (SPEC §15.8). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  back,
  BATCH_WAIT_MS,
  createWorld,
  HOUR_MS,
  nameOf,
  type ReturnWorld,
} from './return-world.ts'

describe('the times of slots on their way back', () => {
  // Each of them draws its delay anew, as one that is alone does: they are known by their company otherwise.
  const heldUp: readonly {
    readonly name: string
    readonly seed: number
    readonly hold: (world: ReturnWorld) => Promise<void>
  }[] = [
    {
      name: 'the chain could not be read',
      seed: 21,
      async hold({ world, pass }) {
        world.isSynced = false
        for (let hour = 0; hour < 60; hour++) await pass(HOUR_MS)
        world.isSynced = true
      },
    },
    {
      name: 'the machine slept',
      seed: 22,
      hold: async ({ timers }) => timers.sleep(60 * HOUR_MS),
    },
    {
      name: 'the machine slept twice, for a short time in between awake',
      seed: 23,
      async hold({ timers, pass }) {
        timers.sleep(30 * HOUR_MS)
        await pass(40_000)
        timers.sleep(30 * HOUR_MS)
      },
    },
  ]
  for (const { name, seed, hold } of heldUp) {
    it(`come each at its own random time again after ${name} for 60 h`, async (t) => {
      t.diagnostic(`seed ${seed}`)
      const made = createWorld(seed, 20)
      const { start, pass, told, timers } = made
      const queue = await start()
      await queue.add(Array.from({ length: 8 }, (_, number) => back(number)))
      await hold(made)
      assert.equal(told.length, 0)
      const fromMs = timers.nowMs()
      for (let minute = 0; minute < 20 * 60; minute++) await pass(60_000)
      const first = new Map(
        told.map((one) => [nameOf(one), one.atMs - fromMs] as const).toReversed(),
      )
      assert.equal(first.size, 8)
      const afterMs = [...first.values()].toSorted((a, b) => a - b)
      const minutes = afterMs.map((ms) => Math.round(ms / 6000) / 10)
      t.diagnostic(`minutes: ${minutes.join(', ')}`)
      // An hour on average, an eighth of that for the first of eight and 2.7 hours for the last.
      const gapsMs = afterMs.slice(1).map((ms, at) => ms - (afterMs[at] ?? 0))
      assert.ok((afterMs.at(-1) ?? 0) > HOUR_MS, 'not one after the other')
      assert.ok(afterMs.filter((ms) => ms < 600_000).length <= 3, 'not in the first ten minutes')
      assert.ok(gapsMs.filter((ms) => ms <= 60_000).length <= 2, 'not at a look each')
      await queue.close()
    })
  }

  for (const relays of [1, 3]) {
    it(`keep two slots of one owner out of one batch, over a restart (relayers to choose from: ${relays})`, async (t) => {
      const seed = 30 + relays
      t.diagnostic(`seed ${seed}`)
      const { start, pass, told, timers } = createWorld(seed, relays)
      const first = await start()
      await first.add(Array.from({ length: 12 }, (_, number) => back(number)))
      while (told.length < 4) await pass(60_000)
      await first.close()
      const second = await start()
      const untilMs = timers.nowMs() + 200 * HOUR_MS
      while (timers.nowMs() < untilMs && new Set(told.map(nameOf)).size < 12) await pass(60_000)
      await second.close()
      assert.equal(new Set(told.map(nameOf)).size, 12, 'each has its turn')
      const gapsMs = told.flatMap((one, at) => {
        const before = told.slice(0, at).findLast(({ relay }) => relay === one.relay)
        return before && nameOf(before) !== nameOf(one) ? [one.atMs - before.atMs] : []
      })
      t.diagnostic(`${gapsMs.length} gaps, the shortest of ${Math.min(...gapsMs) / 60_000} minutes`)
      assert.ok(gapsMs.length > 3)
      // The first of a batch waits for company as long as this; so does the end of it.
      assert.ok(gapsMs.every((ms) => ms >= 3 * BATCH_WAIT_MS))
    })
  }
})

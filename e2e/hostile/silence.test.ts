/**
 * Relays that go silent: one that keeps its links and swallows cells, and a process that is stopped (THREAT-MODEL T21, SPEC §4.5, §8.1). The download goes
 * on by another way and comes whole; how long that took is printed.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { askControl } from '../../packages/cli/src/control/control-socket.ts'
import { startByway } from '../../packages/cli/test/running-byway.ts'
import { startBigOrigin } from '../lib/big-origin.ts'
import { download } from '../lib/download.ts'
import { makeWorld, run } from './lib/spoiled-net.ts'
import { IS_SLOW } from './lib/seed.ts'
import type { Plan } from './lib/spoiler.ts'

/** The bound of a black-holed relay; held on the fake clock of `client-tunnel-driver.test.ts` in every run, here in a long one alone. */
const MAX_STALL_MS = 12_000

suite('a relay goes silent', { concurrency: 3 }, () => {
  for (const position of [1, 2] as const) {
    test(`one at ${position} that keeps its links and swallows every cell is gone round`, async (t) => {
      const world = await makeWorld(t)
      const guards = position === 1 ? [world.hostile, world.guard] : [world.guard, world.other]
      const client = await world.net.client(guards)
      const hops = position === 1 ? 2 : 3
      const plan: Plan = { direction: 'backward', tamper: 'swallow', afterCells: 30, spoils: 0 }
      const outcome = await run(world, client, { hops, position }, plan)
      assert.equal(outcome.end, 'clean', `got ${outcome.code}`)
      const [swallowedAtMs] = world.spoiler.spoiledAtMs
      assert.ok(swallowedAtMs !== undefined, 'cells were swallowed')
      const tookMs = performance.now() - swallowedAtMs
      t.diagnostic(`over ${tookMs.toFixed()} ms after the first cell was swallowed`)
      if (IS_SLOW) assert.ok(tookMs <= MAX_STALL_MS)
    })
  }

  test('a stopped process: the download goes on by another relay, hash equal', async (t) => {
    await using origin = await startBigOrigin(30_000_000)
    const paths: string[][] = []
    const running = startByway(
      // A paid tunnel may wait for a proof at its next guard as well: that is kill-relay's to show.
      [
        'testnet',
        '--json',
        '--unpaid',
        '--hops',
        '3',
        '--allow-target',
        `127.0.0.1:${origin.port}`,
      ],
      {},
      (event) => {
        if (event['event'] === 'path') paths.push(event['hops'] as string[])
      },
    )
    const stopped: number[] = []
    try {
      const ready = await running.event('ready')
      const nodes = ready['nodes'] as { readonly id: string; readonly pid: number }[]
      let victim: string | undefined
      const result = await download({
        proxyPort: Number(/:(\d+)$/.exec(ready['proxy'] as string)?.[1]),
        originPort: origin.port,
        username: 'downloader',
        path: '/',
        onProgress(bytes) {
          if (victim !== undefined || bytes < 3_000_000) return
          victim = paths.at(-1)?.[1]
          const pid = nodes.find(({ id }) => id === victim)?.pid
          if (pid === undefined) return
          stopped.push(pid)
          process.kill(pid, 'SIGSTOP')
        },
      })
      t.diagnostic(`stalled for ${result.longestStallMs.toFixed()} ms`)
      const { home } = ready['client'] as { readonly home: string }
      const { lost } = await askControl(home, 'client', 'status')
      t.diagnostic(`tunnels lost: ${JSON.stringify(lost)}, paths: ${JSON.stringify(paths)}`)
      assert.equal(stopped.length, 1, 'nobody was stopped')
      assert.deepEqual(
        [result.ending, result.bytes, result.sha256],
        ['end', origin.bytes, origin.sha256],
      )
      assert.ok(result.longestStallMs > 1000, 'the download had come through before')
      if (IS_SLOW) assert.ok(result.longestStallMs <= MAX_STALL_MS)
    } finally {
      for (const pid of stopped) process.kill(pid, 'SIGCONT')
      await running.stop()
    }
  })
})

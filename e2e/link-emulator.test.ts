/**
 * The link emulator does what it says.
 *
 *   [left] 10.77.0.1 ══ emulated link ══ 10.77.0.2 [right]
 */
import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { pollUntil } from '../bench/lib/wait.ts'
import type { EmulatedLink } from './lib/link-emulator.ts'
import type { ProbeResult } from './lib/link-probe.ts'
import {
  createNetworkLab,
  missingPrivileges,
  type Namespace,
  type NetworkLab,
} from './lib/network-lab.ts'

const probe = fileURLToPath(new URL('./lib/link-probe.ts', import.meta.url))
const labModule = new URL('./lib/network-lab.ts', import.meta.url).href
const missing = missingPrivileges()
if (missing !== undefined) process.stderr.write(`SKIPPED link emulator: ${missing}\n`)

/** Payload of a full TCP segment and the IP packet that carries it (time stamps on), for rates on the wire. */
const WIRE_SHARE = 1448 / 1500
const UNSHAPED = { delayMs: 0, lossPercent: 0, rateMbit: 0, queueBytes: 256 * 1024 }

suite('link emulator', { skip: missing ?? false }, () => {
  let lab: NetworkLab
  let left: Namespace
  let right: Namespace
  let link: EmulatedLink
  let server: ChildProcess
  let port: string

  before(async () => {
    lab = createNetworkLab()
    left = lab.addNamespace('left', { congestionControl: 'cubic' })
    right = lab.addNamespace('right', { congestionControl: 'cubic' })
    link = await lab.addLink(left, right)
    const { command, args } = right.wrap(process.execPath, [probe, 'serve', link.rightAddress])
    const started = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    server = started
    port = await new Promise<string>((resolve) =>
      createInterface({ input: started.stdout }).once('line', resolve),
    )
  })
  after(async () => {
    server.stdin?.end()
    await lab.close()
  })
  const measure = async (mode: string, count: number): Promise<ProbeResult> => {
    const { command, args } = left.wrap(process.execPath, [
      probe,
      mode,
      link.rightAddress,
      port,
      String(count),
    ])
    const { stdout } = await promisify(execFile)(command, args, { timeout: 60_000 })
    return JSON.parse(stdout) as ProbeResult
  }

  test('a round trip takes twice the one-way delay', async () => {
    await link.change({ ...UNSHAPED, delayMs: 25 })
    const { timesMs = [] } = await measure('rtt', 20)
    // A busy machine adds to it; nothing takes away from it.
    const least = Math.min(...timesMs)
    assert.ok(least >= 50 && least < 100, `least round trip ${least} ms`)
  })
  test('directions are apart: only one of them is slowed', async () => {
    await link.change({ ...UNSHAPED, leftToRight: { delayMs: 40 } })
    const { timesMs = [] } = await measure('rtt', 10)
    const least = Math.min(...timesMs)
    assert.ok(least >= 40 && least < 80, `least round trip ${least} ms`)
  })
  test('both ends use the congestion control asked for', async () => {
    await link.change({ ...UNSHAPED, delayMs: 25 })
    const running = measure('rtt', 40)
    for (const { wrap } of [left, right]) {
      const { command, args } = wrap('ss', ['-tinH', 'state', 'established'])
      const seen = await pollUntil('a connection', 10_000, async () => {
        const { stdout } = await promisify(execFile)(command, args)
        return stdout.includes('rtt:') ? stdout : undefined
      })
      assert.match(seen, /\bcubic\b/)
    }
    await running
  })
  test('bulk does not run faster than the rate, and not far below it', async () => {
    await link.change({ ...UNSHAPED, delayMs: 5, rateMbit: 20 })
    const { bitsPerSecond = 0 } = await measure('bulk', 6_000_000)
    const wire = bitsPerSecond / WIRE_SHARE / 1e6
    assert.ok(wire > 10 && wire < 22, `${wire} Mbit/s on the wire`)
  })
  test('the queue is bounded: bulk fills it and what does not fit is dropped', async () => {
    await link.change({ ...UNSHAPED, delayMs: 5, rateMbit: 20, queueBytes: 50_000 })
    await measure('bulk', 6_000_000)
    const { rightToLeft } = await link.change(UNSHAPED)
    assert.ok(rightToLeft.overflowed > 0, 'bulk must have filled the queue')
    assert.ok(
      rightToLeft.maxWaitingBytes <= 256 * 1024,
      `${rightToLeft.maxWaitingBytes} bytes waited`,
    )
  })
  test('packets are lost at the rate asked for', async () => {
    const earlier = await link.change({ ...UNSHAPED, lossPercent: 20 })
    const { answers = 0 } = await measure('udp', 2_000)
    const now = await link.change(UNSHAPED)
    // Both ways must succeed: 0.8² of 2000 is 1280, and four standard deviations are 86.
    assert.ok(answers > 1_190 && answers < 1_370, `${answers} of 2000 came back`)
    assert.ok(now.leftToRight.lost - earlier.leftToRight.lost > 300)
  })
  test('full loss is a black hole, and ends when told', async () => {
    await link.change({ ...UNSHAPED, lossPercent: 100 })
    assert.equal((await measure('udp', 50)).answers, 0)
    await link.change(UNSHAPED)
    assert.equal((await measure('udp', 50)).answers, 50)
  })
  test('closing leaves no namespace, also when the process is ended by a signal', async () => {
    const script = `import { createNetworkLab } from ${JSON.stringify(labModule)}
      console.log(createNetworkLab().addNamespace('x').name)
      setInterval(() => undefined, 1000)`
    const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const name = await new Promise<string>((resolve) =>
      createInterface({ input: owner.stdout }).once('line', resolve),
    )
    assert.ok(existsSync(`/run/netns/${name}`))
    owner.kill('SIGTERM')
    await new Promise((resolve) => owner.once('exit', resolve))
    assert.ok(!existsSync(`/run/netns/${name}`))
  })
  test('what a killed process left is deleted by the next lab', async () => {
    // A process id beyond the largest that Linux gives.
    const stale = 'byway-99999999-stale'
    spawnSync('ip', ['netns', 'add', stale])
    await createNetworkLab().close()
    assert.ok(!existsSync(`/run/netns/${stale}`))
  })
})

/** The engine's small parts: waiting, errors, state files, datagram flows. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { CLOSE_REASON, RESET_REASON } from '@byway/protocol/wire'
import { delay, untilAborted } from '../../src/engine/abort.ts'
import { circuitError, resetError } from '../../src/engine/errors.ts'
import { readStateFile, writeStateFile } from '../../src/engine/state-file.ts'
import { createHandTimers, settle } from './hand-timers.ts'

suite('waiting that can be given up', () => {
  test('gives the promise its result or its error, and leaves no listener', async () => {
    const { signal } = new AbortController()
    assert.equal(await untilAborted(Promise.resolve(5), signal), 5)
    await assert.rejects(untilAborted(Promise.reject(new Error('no')), signal), { message: 'no' })
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  test("rejects with the signal's reason, before or while it waits", async () => {
    const never = new Promise<never>(() => {})
    const caller = new AbortController()
    const waiting = untilAborted(never, caller.signal)
    caller.abort(new Error('gone'))
    await assert.rejects(waiting, { message: 'gone' })
    await assert.rejects(untilAborted(never, caller.signal), { message: 'gone' })
  })

  test('a promise that fails after its caller has gone is no unhandled rejection', async () => {
    const { promise, reject } = Promise.withResolvers<never>()
    const caller = new AbortController()
    const waiting = untilAborted(promise, caller.signal)
    caller.abort(new Error('gone'))
    await assert.rejects(waiting)
    reject(new Error('late'))
    await settle()
  })

  test('a delay lasts its time, or ends with the signal and its timer with it', async () => {
    const timers = createHandTimers()
    const caller = new AbortController()
    let isOver = false
    const whole = delay(100, caller.signal, timers).then(() => (isOver = true))
    await timers.pass(99)
    assert.equal(isOver, false)
    await timers.pass(1)
    await whole
    const given = delay(100, caller.signal, timers)
    caller.abort(new Error('gone'))
    await assert.rejects(given, { message: 'gone' })
    assert.deepEqual(timers.waiting(), [])
  })
})

suite('errors', () => {
  for (const [reason, code] of [
    [RESET_REASON.MISC, 'EXIT_FAILED'],
    [RESET_REASON.RESOLVE_FAILED, 'EXIT_RESOLVE_FAILED'],
    [RESET_REASON.CONNECT_REFUSED, 'EXIT_CONNECT_REFUSED'],
    [RESET_REASON.EXIT_POLICY, 'EXIT_POLICY'],
    [RESET_REASON.TIMEOUT, 'EXIT_TIMEOUT'],
    [RESET_REASON.UNREACHABLE, 'EXIT_UNREACHABLE'],
    [RESET_REASON.CONNECTION_RESET, 'EXIT_RESET'],
    [RESET_REASON.RESOURCE_LIMIT, 'EXIT_BUSY'],
    [RESET_REASON.DRAINING, 'EXIT_DRAINING'],
    [RESET_REASON.PROTOCOL, 'EXIT_FAILED'],
    [RESET_REASON.IDLE, 'EXIT_TIMEOUT'],
    [RESET_REASON.INTERNAL, 'EXIT_FAILED'],
  ] as const) {
    test(`reset reason ${reason} is ${code} (SPEC §12.2)`, () => {
      assert.equal(resetError(reason).code, code)
    })
  }

  test('a circuit error names the hop and the reason of SPEC §12.1', () => {
    const { code, context } = circuitError(CLOSE_REASON.CONNECT_FAILED, 2)
    assert.equal(code, 'CIRCUIT_FAILED')
    assert.deepEqual(context, { hop: 2, reason: 'CONNECT_FAILED' })
    assert.deepEqual(circuitError(CLOSE_REASON.FINISHED).context, { hop: 0, reason: 'FINISHED' })
  })
})

suite('state files', () => {
  async function folder(t: TestContext): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'byway-state-'))
    t.after(() => rm(path, { recursive: true }))
    return path
  }

  test('are made with their folder, for the owner only, and replaced as a whole', async (t) => {
    const path = join(await folder(t), 'home', 'state')
    assert.equal(await readStateFile(path), undefined)
    await writeStateFile(path, 'a long first text')
    await writeStateFile(path, 'short')
    assert.equal(await readFile(path, 'utf8'), 'short')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await stat(join(path, '..'))).mode & 0o777, 0o700)
    assert.deepEqual(await readdir(join(path, '..')), ['state'])
  })

  test('are whole again after a write that was cut off', async (t) => {
    const path = join(await folder(t), 'state')
    await writeStateFile(path, 'old')
    await writeFile(`${path}.new`, 'half of the ne')
    assert.deepEqual(await readStateFile(path), Buffer.from('old'))
    await writeStateFile(path, 'new')
    assert.deepEqual(await readStateFile(path), Buffer.from('new'))
  })

  test('that cannot be read are an error, not a missing file', async (t) => {
    await assert.rejects(readStateFile(await folder(t)), { code: 'EISDIR' })
  })

  test('that cannot be written leave the old one', async (t) => {
    const home = await folder(t)
    const path = join(home, 'state')
    await writeStateFile(path, 'old')
    await assert.rejects(writeStateFile(join(path, 'below'), 'x'), { code: 'EEXIST' })
    assert.equal(await readFile(path, 'utf8'), 'old')
  })
})

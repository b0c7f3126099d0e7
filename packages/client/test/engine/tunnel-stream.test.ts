import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { RESET_REASON } from '@byway/protocol/wire'
import { circuitError } from '../../src/engine/errors.ts'
import { TunnelStream } from '../../src/engine/tunnel-stream.ts'
import type { StreamPort } from '../../src/engine/tunnel-stream.ts'
import { settle } from './hand-timers.ts'

const KIB = 1024

/** A stream over a tunnel that takes `takes` writes before it asks to wait. */
function world(takes = Number.POSITIVE_INFINITY) {
  const events: string[] = []
  const state = { grantedBytes: 0, takes }
  const port: StreamPort = {
    write(_id, chunk) {
      events.push(`write ${chunk.length}`)
      return state.takes-- > 0
    },
    end: () => void events.push('end'),
    reset: (_id, reason) => void events.push(`reset ${reason}`),
    consumed: (_id, bytes) => void (state.grantedBytes += bytes),
    release: () => void events.push('release'),
  }
  const stream = new TunnelStream(5, port)
  const errors: (Error & { code?: string })[] = []
  stream.on('error', (error: Error) => errors.push(error))
  return { stream, events, state, errors }
}

suite('the way to the application', () => {
  test('gives bytes in order, and a clean end after DONE', async () => {
    const { stream, events, errors } = world()
    stream.end()
    for (const text of ['one ', 'two']) stream.onData(Buffer.from(text))
    stream.onEnd()
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    assert.equal(Buffer.concat(chunks).toString(), 'one two')
    await settle()
    assert.deepEqual(events, ['end', 'release'], 'no reset after a clean end')
    assert.deepEqual(errors, [])
  })

  test('grants no window for what lies unread beyond 256 KiB, and all of it once read', async () => {
    const { stream, state } = world()
    const chunk = Buffer.alloc(64 * KIB)
    for (let i = 0; i < 3; i++) stream.onData(chunk)
    assert.equal(state.grantedBytes, 192 * KIB)
    for (let i = 0; i < 5; i++) stream.onData(chunk)
    await settle()
    assert.equal(state.grantedBytes, 192 * KIB, 'the reader has stopped')
    stream.resume()
    await settle()
    assert.equal(state.grantedBytes, 512 * KIB)
  })

  test('grants each byte once, however the reader stops and goes', async () => {
    const { stream, state } = world()
    let sent = 0
    for (let round = 0; round < 40; round++) {
      const bytes = 1000 + ((round * 7919) % 60_000)
      sent += bytes
      stream.onData(Buffer.alloc(bytes))
      if (round % 3 === 0) stream.read(bytes)
      if (round % 5 === 0) await settle(1)
    }
    assert.ok(state.grantedBytes <= sent)
    stream.resume()
    await settle()
    assert.equal(state.grantedBytes, sent)
  })

  test('a reset is an error with its code, never a clean end (SPEC §9.3)', async () => {
    const { stream, events, errors } = world()
    let ended = false
    stream.on('end', () => (ended = true))
    stream.resume()
    stream.onData(Buffer.from('half of it'))
    stream.onReset(RESET_REASON.CONNECT_REFUSED)
    await settle()
    assert.equal(errors[0]?.code, 'EXIT_CONNECT_REFUSED')
    assert.equal(ended, false)
    assert.deepEqual(events, ['release'], 'the tunnel knows already')
  })
})

suite('the way from the application', () => {
  test('waits while the tunnel asks it to, and goes on when it drains', async () => {
    const { stream, events } = world(1)
    for (const bytes of [1, 2, 3]) stream.write(Buffer.alloc(bytes))
    await settle()
    assert.deepEqual(events, ['write 1', 'write 2'])
    stream.onDrained()
    await settle()
    assert.deepEqual(events, ['write 1', 'write 2', 'write 3'])
  })

  test('says that it drained twice without harm', () => {
    const { stream, events } = world()
    stream.onDrained()
    stream.write(Buffer.alloc(1))
    stream.onDrained()
    assert.deepEqual(events, ['write 1'])
  })

  test('half-closes after the last byte, and still reads', async () => {
    const { stream, events } = world()
    stream.end(Buffer.from('request'))
    await once(stream, 'finish')
    assert.deepEqual(events, ['write 7', 'end'])
    stream.onData(Buffer.from('answer'))
    assert.equal(stream.read()?.toString(), 'answer')
    assert.equal(stream.destroyed, false)
  })

  test('does not end before what waits has gone', async () => {
    const { stream, events } = world(0)
    stream.end(Buffer.from('x'))
    await settle()
    assert.deepEqual(events, ['write 1'])
    stream.onDrained()
    await settle()
    assert.deepEqual(events, ['write 1', 'end'])
  })
})

suite('destroying', () => {
  for (const [name, before] of [
    ['at once', () => {}],
    ['after its own end', (stream: TunnelStream) => void stream.end()],
    ['after DONE, with its own way open', (stream: TunnelStream) => stream.onEnd()],
  ] as const) {
    test(`${name} resets the stream at the exit, once`, async () => {
      const { stream, events } = world()
      before(stream)
      await settle()
      stream.destroy()
      stream.destroy()
      await settle()
      const resets = events.filter((event) => event.startsWith('reset'))
      assert.deepEqual(resets, [`reset ${RESET_REASON.CONNECTION_RESET}`])
      assert.equal(events.at(-1), 'release')
    })
  }

  test('a reset that crosses a destroy changes nothing', async () => {
    const { stream, events, errors } = world()
    stream.destroy()
    stream.onReset(RESET_REASON.TIMEOUT)
    await settle()
    assert.deepEqual(errors, [])
    assert.equal(events.filter((event) => event === 'release').length, 1)
  })
})

suite('connected', () => {
  test('resolves with the family that the exit chose', async () => {
    const { stream } = world()
    stream.onConnected(6)
    assert.deepEqual(await stream.connected, { family: 6 })
  })

  test('rejects with the code of a reset, and of a failed circuit', async () => {
    const [one, two] = [world(), world()]
    one.stream.onReset(RESET_REASON.EXIT_POLICY)
    two.stream.fail(circuitError(26))
    await assert.rejects(one.stream.connected, { code: 'EXIT_POLICY' })
    await assert.rejects(two.stream.connected, { code: 'CIRCUIT_FAILED' })
  })

  test('rejects when the application gives up first', async () => {
    const { stream } = world()
    stream.destroy()
    await assert.rejects(stream.connected, { code: 'EXIT_RESET' })
  })
})

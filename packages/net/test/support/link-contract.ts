/**
 * What every pair of links must do, whatever carries them. Each adapter's test calls {@link linkContract} with a way to make a pair.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LINK_MESSAGE, readCircuitId, SIZE_CLASS, type SizeClass } from '@byway/protocol/wire'
import type { NetLink } from '@byway/net'
import { dataCell, Recorder } from './handlers.ts'

export type Pair = AsyncDisposable & { readonly dialler: NetLink; readonly listener: NetLink }

export function linkContract(name: string, makePair: () => Promise<Pair>): void {
  const options = { timeout: 60_000 }

  test(
    `${name}: carries cells of every size both ways, in order, with the circuit id of their queue`,
    options,
    async () => {
      await using pair = await makePair()
      const near = new Recorder(pair.dialler)
      const far = new Recorder(pair.listener)
      const sizes = [SIZE_CLASS.SMALL, SIZE_CLASS.MEDIUM, SIZE_CLASS.LARGE] as const
      const sizeOf = (index: number): SizeClass => sizes[(index * 7) % 3] ?? SIZE_CLASS.SMALL
      for (const [from, id] of [
        [pair.dialler, 0x8000_0001],
        [pair.listener, 0x0000_0001],
      ] as const) {
        const queue = from.openQueue(id)
        for (let i = 0; i < 300; i++) from.push(queue, dataCell(i & 0xff, sizeOf(i)))
      }
      await near.until(({ cells }) => cells.length === 300)
      await far.until(({ cells }) => cells.length === 300)
      for (const [recorder, id] of [
        [near, 0x0000_0001],
        [far, 0x8000_0001],
      ] as const) {
        recorder.cells.forEach(({ circuitId, cell }, i) => {
          assert.equal(circuitId, id)
          assert.equal(readCircuitId(cell), id)
          const expected = dataCell(i & 0xff, sizeOf(i))
          assert.deepEqual(cell.subarray(9), expected.subarray(9))
        })
      }
    },
  )

  test(`${name}: gives cells that are plain arrays and the receiver's own`, options, async () => {
    await using pair = await makePair()
    const far = new Recorder(pair.listener)
    void new Recorder(pair.dialler)
    const queue = pair.dialler.openQueue(0x8000_0001)
    for (const size of [SIZE_CLASS.SMALL, SIZE_CLASS.SMALL, SIZE_CLASS.LARGE, SIZE_CLASS.LARGE])
      pair.dialler.push(queue, dataCell(5, size))
    await far.until(({ cells }) => cells.length === 4)
    for (const { cell } of far.cells) {
      assert.equal(Object.getPrototypeOf(cell), Uint8Array.prototype)
      cell.fill(9)
    }
    assert.ok(far.cells.every(({ cell }) => cell.every((byte) => byte === 9)))
    assert.equal(new Set(far.cells.map(({ cell }) => cell.buffer)).size, 4)
  })

  test(`${name}: carries messages both ways and keeps PING to itself`, options, async () => {
    await using pair = await makePair()
    const near = new Recorder(pair.dialler)
    const far = new Recorder(pair.listener)
    pair.dialler.send({ type: LINK_MESSAGE.PING, token: 1n })
    pair.dialler.send({ type: LINK_MESSAGE.DIRECTORY_GET, requestId: 7, sinceS: 0 })
    pair.listener.send({ type: LINK_MESSAGE.DRAIN, seconds: 30 })
    await far.until(({ messages }) => messages.length > 0)
    await near.until(({ messages }) => messages.some(({ type }) => type === LINK_MESSAGE.DRAIN))
    assert.deepEqual(far.messages, [{ type: LINK_MESSAGE.DIRECTORY_GET, requestId: 7, sinceS: 0 }])
  })

  test(`${name}: measures the link by PING, and says when none answers`, options, async () => {
    await using pair = await makePair()
    new Recorder(pair.dialler)
    new Recorder(pair.listener)
    const answers = await Promise.all([
      pair.dialler.ping(),
      pair.dialler.ping(),
      pair.listener.ping(),
    ])
    assert.ok(answers.every((rttMs) => rttMs !== undefined && rttMs >= 0))
    const late = pair.dialler.ping()
    pair.dialler.close('local')
    assert.equal(await late, undefined)
    assert.equal(await pair.dialler.ping(), undefined)
  })

  test(
    `${name}: a close is told once to each side, local here and remote there`,
    options,
    async () => {
      await using pair = await makePair()
      const near = new Recorder(pair.dialler)
      const far = new Recorder(pair.listener)
      pair.dialler.send({ type: LINK_MESSAGE.DRAIN, seconds: 1 })
      await far.until(({ messages }) => messages.length > 0)
      pair.dialler.close('local')
      pair.dialler.close('local')
      await far.until(({ closed }) => closed.length > 0)
      assert.deepEqual(near.closed, ['local'])
      assert.deepEqual(far.closed, ['remote'])
      assert.ok(pair.dialler.isClosed && pair.listener.isClosed)
    },
  )

  test(`${name}: what was sent right before a close still arrives`, options, async () => {
    await using pair = await makePair()
    void new Recorder(pair.dialler)
    const far = new Recorder(pair.listener)
    const queue = pair.dialler.openQueue(0x8000_0001)
    pair.dialler.push(queue, dataCell(1))
    pair.dialler.send({ type: LINK_MESSAGE.DRAIN, seconds: 1 })
    pair.dialler.close('draining')
    await far.until(({ closed }) => closed.length > 0)
    assert.equal(far.messages.length, 1)
    assert.equal(far.cells.length, 1)
  })

  test(`${name}: a handler that comes after the close is still told of it`, options, async () => {
    await using pair = await makePair()
    const near = new Recorder(pair.dialler)
    pair.listener.close('limit')
    const late = new Recorder(pair.listener)
    await late.until(({ closed }) => closed.length > 0)
    await near.until(({ closed }) => closed.length > 0)
    assert.deepEqual(late.closed, ['limit'])
    assert.deepEqual(near.closed, ['remote'])
  })

  test(`${name}: cells that came before the handler are held for it`, options, async () => {
    await using pair = await makePair()
    void new Recorder(pair.dialler)
    const queue = pair.dialler.openQueue(0x8000_0001)
    for (let i = 0; i < 3; i++) pair.dialler.push(queue, dataCell(i))
    await new Promise((resolve) => setImmediate(resolve))
    const far = new Recorder(pair.listener)
    await far.until(({ cells }) => cells.length === 3)
    assert.deepEqual(
      far.cells.map(({ cell }) => cell[100]),
      [0, 1, 2],
    )
  })

  test(`${name}: a peer that breaks a rule is closed with reason protocol`, options, async () => {
    await using pair = await makePair()
    const near = new Recorder(pair.dialler)
    const far = new Recorder(pair.listener)
    const wrong = dataCell(0, SIZE_CLASS.SMALL)
    wrong[4] = 0b0000_1111
    pair.dialler.push(pair.dialler.openQueue(0x8000_0001), wrong)
    await far.until(({ closed }) => closed.length > 0)
    await near.until(({ closed }) => closed.length > 0)
    assert.deepEqual(far.closed, ['protocol'])
    assert.equal(far.cells.length, 0)
  })

  test(
    `${name}: 32 MiB arrive whole while the socket holds only a little and queues drain`,
    options,
    async () => {
      await using pair = await makePair()
      void new Recorder(pair.dialler)
      const far = new Recorder(pair.listener)
      const queue = pair.dialler.openQueue(0x8000_0001)
      let next = 0
      let mostPending = 0
      const fill = (): void => {
        mostPending = Math.max(mostPending, pair.dialler.stats.pendingBytes)
        while (next < 2048 && queue.bytes < 512 * 1024)
          pair.dialler.push(queue, dataCell(next++ & 0xff))
        queue.wantRoom(256 * 1024)
      }
      queue.onRoom = fill
      fill()
      await far.until(({ cells }) => cells.length === 2048)
      assert.ok(
        far.cells.every(({ cell }, i) => cell[9] === (i & 0xff) && cell[16_383] === (i & 0xff)),
      )
      assert.ok(mostPending <= 96 * 1024, `${mostPending} bytes in the socket`)
      assert.equal(pair.listener.stats.cellsRead >= 2048, true)
    },
  )
}

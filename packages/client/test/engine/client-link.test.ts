import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { suite, test } from 'node:test'
import { CLOSE_REASON, LINK_MESSAGE } from '@byway/protocol/wire'
import type { LinkMessage } from '@byway/protocol/wire'
import { MAX_DIRECTORY_PARTS as MAX_PARTS, packDirectory } from '@byway/net'
import { createClientLink } from '../../src/engine/client-link.ts'
import { createFakeLink } from './fake-link.ts'

const NEVER = new AbortController().signal

function world() {
  const link = createFakeLink()
  const clientLink = createClientLink(link, new Uint8Array(32))
  const received: string[] = []
  return {
    link,
    clientLink,
    received,
    fetch: (signal: AbortSignal) =>
      clientLink.fetchDirectory(
        0,
        (descriptors) => {
          const texts = descriptors.map((each) => Buffer.from(each).toString())
          received.push(...texts)
          return !texts.includes('forged')
        },
        signal,
      ),
    part(requestId: number, last: boolean, ...texts: readonly string[]) {
      const descriptors = texts.map((text) => Buffer.from(text))
      const [block = new Uint8Array(0)] = packDirectory(descriptors, 16_000)
      const message: LinkMessage = {
        type: LINK_MESSAGE.DIRECTORY_PART,
        requestId,
        last,
        asOfS: 77,
        block,
      }
      link.handler.onMessage(message, 0)
    },
  }
}

suite('fetching the directory (SPEC §10.2)', () => {
  test('asks once and hands on every part, until the last', async () => {
    const w = world()
    const fetching = w.fetch(NEVER)
    assert.deepEqual(w.link.sent, [{ type: LINK_MESSAGE.DIRECTORY_GET, requestId: 1, sinceS: 0 }])
    w.part(1, false, 'a', 'b')
    w.part(1, false)
    w.part(1, true, 'c')
    assert.equal(await fetching, 77)
    assert.deepEqual(w.received, ['a', 'b', 'c'])
    assert.equal(w.link.isClosed, false)
    w.part(1, true, 'late')
    assert.deepEqual(w.received, ['a', 'b', 'c'])
    assert.equal(w.link.isClosed, true)
  })

  test('keeps two answers apart', async () => {
    const w = world()
    const [one, two] = [w.fetch(NEVER), w.fetch(NEVER)]
    w.part(1, true, 'one')
    await one
    w.part(2, true, 'two')
    await two
    assert.deepEqual(w.received, ['one', 'two'])
  })

  test('leaves a guard that sends a part that nobody asked for', async () => {
    const w = world()
    const fetching = w.fetch(NEVER)
    w.part(9, true, 'unasked')
    await assert.rejects(fetching, { code: 'ENTRY_UNREACHABLE' })
    assert.equal(w.link.isClosed, true)
    assert.deepEqual(w.received, [])
  })

  test('leaves a guard at the first forged descriptor', async () => {
    const w = world()
    const fetching = w.fetch(NEVER)
    w.part(1, false, 'a')
    assert.equal(w.link.isClosed, false)
    w.part(1, true, 'forged')
    await assert.rejects(fetching, { code: 'ENTRY_UNREACHABLE' })
    assert.equal(w.link.isClosed, true)
  })

  test('ends when the caller gives up, and takes no more parts', async () => {
    const w = world()
    const caller = new AbortController()
    const fetching = w.fetch(caller.signal)
    w.part(1, false, 'a')
    caller.abort(new Error('enough'))
    await assert.rejects(fetching, { message: 'enough' })
    w.part(1, true, 'b')
    assert.deepEqual(w.received, ['a'])
    assert.equal(w.link.isClosed, false, 'it was asked for')
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0)
  })

  test('ends with ENTRY_UNREACHABLE when the link closes in between', async () => {
    const w = world()
    const fetching = w.fetch(NEVER)
    w.part(1, false, 'a')
    w.link.close('io')
    await assert.rejects(fetching, { code: 'ENTRY_UNREACHABLE' })
  })

  test('does not wait for an answer on a link that is closed', async () => {
    const w = world()
    w.link.close('io')
    await assert.rejects(w.fetch(NEVER), { code: 'ENTRY_UNREACHABLE' })
  })

  test('ends an answer that never ends', async () => {
    const w = world()
    const fetching = w.fetch(NEVER)
    for (let i = 0; i < MAX_PARTS; i++) w.part(1, false)
    assert.equal(w.link.isClosed, false)
    w.part(1, false)
    await assert.rejects(fetching, { code: 'ENTRY_UNREACHABLE' })
    assert.equal(w.link.isClosed, true)
  })

  test('takes an answer of as many parts as there may be', async () => {
    const w = world()
    const fetching = w.fetch(NEVER)
    for (let i = 1; i < MAX_PARTS; i++) w.part(1, false)
    w.part(1, true, 'the last')
    await fetching
    assert.deepEqual(w.received, ['the last'])
  })
})

suite('circuits of a link', () => {
  test('get the cells of their id, the latest sink of each, and none after release', () => {
    const { clientLink, link } = world()
    const heard: string[] = []
    const sinkOf = (name: string) => ({
      onCell: () => void heard.push(name),
      onLinkClosed: () => void heard.push(`${name} closed`),
    })
    const [a, b] = [clientLink.reserve(sinkOf('a')), clientLink.reserve(sinkOf('b'))]
    assert.notEqual(a, b)
    assert.equal(clientLink.circuitCount, 2)
    for (const id of [a, b, 99]) link.handler.onCell(id, new Uint8Array(1), 0)
    clientLink.setSink(b, sinkOf('c'))
    link.handler.onCell(b, new Uint8Array(1), 0)
    clientLink.release(a)
    clientLink.setSink(a, sinkOf('d'))
    link.handler.onCell(a, new Uint8Array(1), 0)
    assert.deepEqual(heard, ['a', 'b', 'c'])
    link.close('io')
    assert.deepEqual(heard, ['a', 'b', 'c', 'c closed'])
    assert.equal(clientLink.circuitCount, 0)
  })

  test('hear LINK_CLOSED, and whoever waits for the end hears why', async () => {
    const { clientLink, link } = world()
    const reasons: number[] = []
    clientLink.reserve({ onCell() {}, onLinkClosed: (reason) => void reasons.push(reason) })
    link.close('dead')
    assert.deepEqual(reasons, [CLOSE_REASON.LINK_CLOSED])
    assert.equal(await clientLink.closed, 'dead')
  })
})

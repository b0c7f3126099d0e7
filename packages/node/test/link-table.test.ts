import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Link } from '@byway/protocol/link'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { Descriptor } from '@byway/protocol/wire'
import { createLinkTable } from '../src/link-table.ts'
import { createFakeLink, nodeIdOf } from './fake-link.ts'

const NEVER = new AbortController().signal

type Dial = {
  readonly signal: AbortSignal
  readonly succeed: (link: Link) => void
  readonly fail: () => void
}

function descriptorOf(nodeId: Uint8Array, isPublic: boolean): Descriptor {
  return {
    nodeId,
    sequence: 1,
    publishedS: 1,
    expiresS: 2,
    onionKey: new Uint8Array(32),
    roles: 1,
    exitProfile: 0,
    exitFlags: 0,
    country: '',
    asn: 0,
    familyId: undefined,
    stakerId: undefined,
    provider: undefined,
    priceStep: 0,
    classPrices: { browse: undefined, collect: undefined },
    tokenKeysHash: undefined,
    gossipPort: 0,
    addresses: isPublic ? [{ family: 4, bytes: Uint8Array.of(192, 0, 2, 1), port: 443 }] : [],
    attachments: isPublic ? [] : [nodeIdOf(200)],
    software: '',
  }
}

/** Nodes below 100 are public, those from 100 on have no address; 255 is unknown. */
function world() {
  const dials: Dial[] = []
  const table = createLinkTable({
    find: (nodeId) =>
      nodeId[0] === 255 ? undefined : descriptorOf(nodeId, (nodeId[0] ?? 0) < 100),
    dial: (_descriptor, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Link>()
      signal.addEventListener('abort', () => reject(signal.reason as Error))
      dials.push({ signal, succeed: resolve, fail: () => reject(new Error('refused')) })
      return promise
    },
  })
  const addNode = (number: number): Link => {
    const link = createFakeLink({ role: 'node', nodeId: nodeIdOf(number) })
    table.add(link)
    return link
  }
  return { table, dials, addNode }
}

suite('finding a link', () => {
  test('uses a link that stands, and dials nobody', async () => {
    const { table, dials, addNode } = world()
    const link = addNode(100)
    assert.equal(await table.linkTo(nodeIdOf(100), NEVER), link)
    assert.equal(dials.length, 0)
  })

  test('passes over a link that has closed for another one to the same node', async () => {
    const { table, addNode } = world()
    const old = addNode(1)
    const fresh = addNode(1)
    old.close('io')
    assert.equal(await table.linkTo(nodeIdOf(1), NEVER), fresh)
  })

  test('dials again once the only link is removed', async () => {
    const { table, dials, addNode } = world()
    table.remove(addNode(1))
    void table.linkTo(nodeIdOf(1), NEVER)
    assert.equal(dials.length, 1)
  })

  test('counts links of clients but finds none by a node id', () => {
    const { table } = world()
    const link = createFakeLink({ role: 'client' })
    table.add(link)
    assert.deepEqual([...table.links], [link])
    table.remove(link)
    assert.equal(table.links.size, 0)
  })

  test('answers UNKNOWN_NODE without a descriptor (SPEC §12.1)', async () => {
    const { table, dials } = world()
    assert.equal(await table.linkTo(nodeIdOf(255), NEVER), CLOSE_REASON.UNKNOWN_NODE)
    assert.equal(dials.length, 0)
  })

  test('answers NOT_ATTACHED for a node without an address and without a link here (SPEC §12.1)', async () => {
    const { table, dials } = world()
    assert.equal(await table.linkTo(nodeIdOf(100), NEVER), CLOSE_REASON.NOT_ATTACHED)
    assert.equal(dials.length, 0)
  })
})

suite('dialling', () => {
  test('lets all who want the same node share one dial', async () => {
    const { table, dials } = world()
    const both = [table.linkTo(nodeIdOf(1), NEVER), table.linkTo(nodeIdOf(1), NEVER)]
    const link = createFakeLink({ role: 'node', nodeId: nodeIdOf(1) })
    dials[0]?.succeed(link)
    assert.deepEqual(await Promise.all(both), [link, link])
    assert.equal(dials.length, 1)
  })

  test('answers CONNECT_FAILED to all who shared a dial, and dials anew for the next', async () => {
    const { table, dials } = world()
    const both = [table.linkTo(nodeIdOf(1), NEVER), table.linkTo(nodeIdOf(1), NEVER)]
    dials[0]?.fail()
    assert.deepEqual(await Promise.all(both), [
      CLOSE_REASON.CONNECT_FAILED,
      CLOSE_REASON.CONNECT_FAILED,
    ])
    const again = table.linkTo(nodeIdOf(1), NEVER)
    assert.equal(dials.length, 2)
    const link = createFakeLink({ role: 'node', nodeId: nodeIdOf(1) })
    dials[1]?.succeed(link)
    assert.equal(await again, link)
  })

  test('goes on for the others when the one who began it gives up', async () => {
    const { table, dials } = world()
    const first = new AbortController()
    const given = table.linkTo(nodeIdOf(1), first.signal)
    const waiting = table.linkTo(nodeIdOf(1), NEVER)
    first.abort()
    assert.equal(await given, CLOSE_REASON.CONNECT_FAILED)
    assert.equal(dials[0]?.signal.aborted, false)
    const link = createFakeLink({ role: 'node', nodeId: nodeIdOf(1) })
    dials[0]?.succeed(link)
    assert.equal(await waiting, link)
  })

  test('answers one who gives up at once, though the dial goes on', async () => {
    const { table } = world()
    const second = new AbortController()
    void table.linkTo(nodeIdOf(1), NEVER)
    const given = table.linkTo(nodeIdOf(1), second.signal)
    second.abort()
    assert.equal(await given, CLOSE_REASON.CONNECT_FAILED)
  })

  test('is called off when nobody waits any more, and begun anew for the next', async () => {
    const { table, dials } = world()
    const callers = [new AbortController(), new AbortController()]
    const given = callers.map(({ signal }) => table.linkTo(nodeIdOf(1), signal))
    for (const caller of callers) caller.abort()
    await Promise.all(given)
    assert.equal(dials[0]?.signal.aborted, true)
    void table.linkTo(nodeIdOf(1), NEVER)
    assert.equal(dials.length, 2)
  })

  test('never rejects, not even for a signal that has aborted before', async () => {
    const { table } = world()
    const answer = await table.linkTo(nodeIdOf(1), AbortSignal.abort())
    assert.equal(answer, CLOSE_REASON.CONNECT_FAILED)
  })

  test('is refused with RESOURCE_LIMIT beyond 64 at once, and possible again when one has ended', async () => {
    const { table, dials } = world()
    const waiting = Array.from({ length: 64 }, (_, i) => table.linkTo(nodeIdOf(i), NEVER))
    assert.equal(await table.linkTo(nodeIdOf(64), NEVER), CLOSE_REASON.RESOURCE_LIMIT)
    dials[0]?.fail()
    await waiting[0]
    void table.linkTo(nodeIdOf(64), NEVER)
    assert.equal(dials.length, 65)
  })
})

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createDescriptorSet } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { LINK_MESSAGE } from '@byway/protocol/wire'
import type { LinkMessage } from '@byway/protocol/wire'
import { MAX_DIRECTORY_PARTS, packDirectory, unpackDirectory } from '@byway/net'
import { createDirectoryService } from '../../src/directory/directory-service.ts'
import { createFakeLink, nodeIdOf } from '../fake-link.ts'
import type { FakeLink } from '../fake-link.ts'
import { makerOf, NOW_MS, RELAY_FACTS, signedDescriptor } from '../signed-descriptors.ts'

const GET: LinkMessage = { type: LINK_MESSAGE.DIRECTORY_GET, requestId: 7, sinceS: 0 }

function publishing(descriptor: Uint8Array): LinkMessage {
  return { type: LINK_MESSAGE.DIRECTORY_PUBLISH, descriptor }
}

function blockOf(descriptors: readonly Uint8Array[]): Uint8Array {
  const [block] = packDirectory(descriptors, 16_000)
  assert.ok(block)
  return block
}

function descriptorsOf({ block }: { readonly block: Uint8Array }): readonly Uint8Array[] {
  return block.length === 0 ? [] : (unpackDirectory(block) ?? [])
}

/** A node with three neighbours and one client. */
function world(isFlooding = true) {
  const set = createDescriptorSet(nodeCrypto)
  const neighbours = [1, 2, 3].map((n) => createFakeLink({ role: 'node', nodeId: nodeIdOf(n) }))
  const [a, b, c] = neighbours
  assert.ok(a && b && c)
  const clock = { nowMs: NOW_MS }
  const own: { descriptor: Uint8Array | undefined } = { descriptor: undefined }
  const service = createDirectoryService({
    set,
    nodeLinks: () => neighbours,
    own: () => own.descriptor,
    isFlooding,
    nowMs: () => clock.nowMs,
  })
  return { set, service, a, b, c, clock, own, client: createFakeLink({ role: 'client' }) }
}

function published({ sent }: FakeLink): Uint8Array[] {
  return sent.flatMap((each) =>
    each.type === LINK_MESSAGE.DIRECTORY_PUBLISH ? [each.descriptor] : [],
  )
}

function parts({ sent }: FakeLink) {
  return sent.flatMap((each) => (each.type === LINK_MESSAGE.DIRECTORY_PART ? [each] : []))
}

suite('passing descriptors on (SPEC §10.2)', () => {
  test('goes to every neighbour once, but not back to where it came from', () => {
    const { service, set, a, b, c, client } = world()
    const descriptor = signedDescriptor(10)
    service.onMessage(a, publishing(descriptor))
    assert.equal(set.size, 1)
    assert.deepEqual(published(a), [])
    assert.deepEqual(published(b), [descriptor])
    assert.deepEqual(published(c), [descriptor])
    assert.deepEqual(client.sent, [])
  })

  test('stops where a descriptor is known: it comes round from another neighbour', () => {
    const { service, a, b, c } = world()
    const descriptor = signedDescriptor(10)
    for (const link of [a, b, c, a]) service.onMessage(link, publishing(descriptor))
    assert.equal(published(b).length, 1)
    assert.equal(published(a).length, 0)
  })

  test('takes in each descriptor of a part, and passes each on', () => {
    const { service, set, a, b } = world()
    const descriptors = [signedDescriptor(10), signedDescriptor(11)]
    const part = {
      type: LINK_MESSAGE.DIRECTORY_PART,
      requestId: 1,
      last: true,
      asOfS: 1,
      block: blockOf(descriptors),
    } as const
    service.ask(a)
    service.onMessage(a, part)
    assert.equal(a.isClosed, false)
    assert.equal(set.size, 2)
    assert.deepEqual(published(b), descriptors)
  })

  test('passes nothing on that is damaged, garbage or older', () => {
    const { service, set, a, b, clock } = world()
    const maker = makerOf(10)
    const old = maker.make(RELAY_FACTS, clock.nowMs)
    service.onMessage(a, publishing(maker.make(RELAY_FACTS, clock.nowMs)))
    const damaged = signedDescriptor(11).slice()
    damaged[60] = (damaged[60] ?? 0) ^ 1
    for (const bytes of [old, damaged, new Uint8Array(0), new Uint8Array(1536).fill(255)])
      service.onMessage(a, publishing(bytes))
    assert.equal(set.size, 1)
    assert.equal(published(b).length, 1)
  })

  test('takes nothing from clients: they cannot publish (SPEC §4.4)', () => {
    const { service, set, b, client } = world()
    const descriptor = signedDescriptor(10)
    service.onMessage(client, publishing(descriptor))
    service.onMessage(client, {
      type: LINK_MESSAGE.DIRECTORY_PART,
      requestId: 1,
      last: true,
      asOfS: 1,
      block: blockOf([descriptor]),
    })
    assert.equal(set.size, 0)
    assert.deepEqual(b.sent, [])
  })
})

suite('parts and editions of a neighbour that breaks the rules (SPEC §10.2)', () => {
  const part = (requestId: number, last: boolean, ...descriptors: readonly Uint8Array[]) => ({
    type: LINK_MESSAGE.DIRECTORY_PART,
    requestId,
    last,
    asOfS: 1,
    block: descriptors.length > 0 ? blockOf(descriptors) : new Uint8Array(0),
  })
  function forged(number: number): Uint8Array {
    const bytes = signedDescriptor(number).slice()
    const at = bytes.length - 1
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }

  test('a part that was not asked for on this link ends it, and is not looked at', () => {
    const { service, set, a, b, c, client } = world()
    service.ask(a)
    service.onMessage(b, part(1, true, signedDescriptor(10)))
    service.onMessage(client, part(1, true, signedDescriptor(10)))
    service.onMessage(a, part(1, true))
    assert.equal(a.isClosed, false)
    service.onMessage(a, part(1, true, signedDescriptor(10)))
    service.ask(c)
    service.onMessage(c, part(2, true, signedDescriptor(10)))
    assert.deepEqual(
      [a, b, c, client].map(({ isClosed }) => isClosed),
      [true, true, true, true],
    )
    assert.equal(set.size, 0)
  })

  test('a question that was left unanswered gets no answer after a later one', () => {
    const { service, a } = world()
    for (let i = 0; i < 2; i++) service.ask(a)
    service.onMessage(a, part(2, true))
    assert.equal(a.isClosed, false)
    service.onMessage(a, part(1, true))
    assert.equal(a.isClosed, true)
  })

  test('one part more than an answer may have ends the link', () => {
    const { service, a } = world()
    service.ask(a)
    for (let i = 0; i < MAX_DIRECTORY_PARTS; i++) service.onMessage(a, part(1, false))
    assert.equal(a.isClosed, false)
    service.onMessage(a, part(1, false))
    assert.equal(a.isClosed, true)
  })

  for (const [name, bad] of [
    ['with a spoiled signature', forged(11)],
    ['that is none', new Uint8Array(900).fill(7)],
  ] as const)
    test(`a descriptor ${name} ends the link, and what follows it is not looked at`, () => {
      const { service, set, a, b } = world()
      service.ask(a)
      service.onMessage(a, part(1, false, signedDescriptor(10), bad, signedDescriptor(12)))
      assert.equal(a.isClosed, true)
      assert.equal(set.size, 1)
      service.onMessage(b, publishing(bad))
      assert.equal(b.isClosed, true)
    })

  test('one that is older or has expired does not: it was right where it comes from', () => {
    const { service, set, a, clock } = world()
    const maker = makerOf(10)
    const old = maker.make(RELAY_FACTS, NOW_MS)
    set.offer(maker.make(RELAY_FACTS, NOW_MS), NOW_MS)
    service.ask(a)
    service.onMessage(a, part(1, false, old))
    clock.nowMs += 30 * 86_400_000
    service.onMessage(a, part(1, true, signedDescriptor(11)))
    assert.equal(a.isClosed, false)
    assert.equal(set.size, 1)
  })

  test('one that answers nothing is asked sixteen times and no more', () => {
    const { service, a } = world()
    for (let i = 0; i < 20; i++) service.ask(a)
    assert.equal(a.sent.length, 16)
  })
})

suite("the node's own edition", () => {
  test('goes to every neighbour when published', () => {
    const { service, own, a, b, c } = world()
    service.publish()
    assert.deepEqual(a.sent, [])
    own.descriptor = signedDescriptor(1)
    service.publish()
    for (const link of [a, b, c]) assert.deepEqual(published(link), [own.descriptor])
  })

  test('goes also to the neighbour whose edition made it change', () => {
    const { service, set, own, a, b } = world()
    const stop = set.onAccepted(() => {
      stop()
      own.descriptor = signedDescriptor(1)
      service.publish()
    })
    const theirs = signedDescriptor(10)
    service.onMessage(a, publishing(theirs))
    assert.deepEqual(published(a), [own.descriptor])
    assert.deepEqual(new Set(published(b)), new Set([theirs, own.descriptor]))
  })

  test('greets a new neighbour; one that was dialled is asked for its set', () => {
    const { service, own } = world()
    own.descriptor = signedDescriptor(1)
    const [dialled, accepted] = [1, 2].map((n) =>
      createFakeLink({ role: 'node', nodeId: nodeIdOf(n) }),
    )
    assert.ok(dialled && accepted)
    service.onNodeLink(dialled, true)
    service.onNodeLink(accepted, false)
    assert.deepEqual(published(dialled), [own.descriptor])
    assert.equal(dialled.sent.at(-1)?.type, LINK_MESSAGE.DIRECTORY_GET)
    assert.deepEqual(accepted.sent, [
      { type: LINK_MESSAGE.DIRECTORY_PUBLISH, descriptor: own.descriptor },
    ])
  })

  test('is left out while there is none', () => {
    const { service } = world()
    const link = createFakeLink({ role: 'node', nodeId: nodeIdOf(1) })
    service.onNodeLink(link, false)
    assert.deepEqual(link.sent, [])
  })
})

suite('answering DIRECTORY_GET', () => {
  test('gives no further set to a peer that does not read', () => {
    const { service, client } = world()
    service.onMessage({ ...client, waitingBytes: 4 * 1024 * 1024 + 1 }, GET)
    assert.deepEqual(client.sent, [])
    service.onMessage({ ...client, waitingBytes: 4 * 1024 * 1024 }, GET)
    assert.equal(parts(client).length, 1)
  })

  test('sends the whole set under the number asked with, the last part marked', () => {
    const { service, set, client } = world()
    const descriptors = Array.from({ length: 200 }, (_, i) => signedDescriptor(i))
    for (const bytes of descriptors) set.offer(bytes, NOW_MS)
    service.onMessage(client, GET)
    const answer = parts(client)
    assert.ok(answer.length > 1)
    assert.ok(answer.every(({ requestId }) => requestId === 7))
    assert.deepEqual(
      answer.flatMap((part) =>
        descriptorsOf(part).map((bytes) => Buffer.from(bytes).toString('hex')),
      ),
      descriptors.map((bytes) => Buffer.from(bytes).toString('hex')),
    )
    assert.deepEqual(
      answer.map(({ last }) => last),
      answer.map((_, i) => i === answer.length - 1),
    )
  })

  test('answers with one empty part when it knows nobody', () => {
    const { service, client } = world()
    service.onMessage(client, GET)
    assert.deepEqual(
      parts(client).map((part) => ({ last: part.last, count: descriptorsOf(part).length })),
      [{ last: true, count: 0 }],
    )
  })

  test('answers four at once and one in five seconds after that, each link by itself', () => {
    const { service, clock, client, a } = world()
    const ask = (link: FakeLink, times: number): number => {
      const before = parts(link).length
      for (let i = 0; i < times; i++) service.onMessage(link, GET)
      return parts(link).length - before
    }
    assert.equal(ask(client, 6), 4)
    assert.equal(ask(a, 6), 4)
    clock.nowMs += 4999
    assert.equal(ask(client, 1), 0)
    clock.nowMs += 1
    assert.equal(ask(client, 2), 1)
  })

  test('answers who asks too often in the end: a refused question costs nothing', () => {
    const { service, clock, client } = world()
    for (let i = 0; i < 4; i++) service.onMessage(client, GET)
    for (let second = 0; second < 5; second++) {
      clock.nowMs += 1000
      service.onMessage(client, GET)
    }
    assert.equal(parts(client).length, 5)
  })

  test('gives nothing for a clock that was set back', () => {
    const { service, clock, client } = world()
    for (let i = 0; i < 4; i++) service.onMessage(client, GET)
    clock.nowMs -= 3_600_000
    service.onMessage(client, GET)
    assert.equal(parts(client).length, 4)
  })
})
